"""Each rule of locks that guest/fault-lock.c breaks is noticed by a debug build, which names the locks."""

import pytest

import qemu

KINDS = [
    ("taken-twice", "spinlock lock_a is taken twice"),
    ("not-held", "spinlock lock_a is released but not held"),
    ("inversion", "lock order: lock_a is taken under lock_b, which is taken under it elsewhere"),
    ("same-class", "lock order: two spinlocks pair against the order of their addresses"),
    ("irq-unsafe", "spinlock lock_a is taken in interrupts, and elsewhere with interrupts enabled"),
    ("sleep-under-lock", "in atomic context: preempt count 1, interrupts enabled, last spinlock lock_a"),
    ("sleep-without-interrupts", "in atomic context: preempt count 0, interrupts disabled, last spinlock none"),
    ("mutex-under-lock", "mutex_lock in atomic context: preempt count 1"),
    ("mutex-twice", "mutex mutex_a is taken twice"),
    ("mutex-not-held", "mutex mutex_a is released but not held"),
    ("mutex-inversion", "lock order: mutex_a is taken under mutex_b, which is taken under it elsewhere"),
    ("mutex-at-exit", "(forgetful) ends with mutex mutex_a held"),
    ("call-under-lock", "cpu_call_others in atomic context: preempt count 1"),
    ("exit-without-preemption", "thread_exit in atomic context: preempt count 1"),
]


@pytest.fixture
def debug_image(build):
    if build != "debug":
        pytest.skip("only debug builds check locks")
    return qemu.image_path("fault-lock", build)


@pytest.mark.parametrize("kind, reason", KINDS, ids=[k[0] for k in KINDS])
def test_lock(debug_image, kind, reason):
    result = qemu.boot(debug_image, smp=2, cmdline="-- " + kind)
    assert result.panicked, result.describe()
    assert "panic: " in result.output and reason in result.output, result.describe()
