"""What must not work does not: each kind of guest/fault-cpu.c ends in a panic that names it, on every machine."""

import re

import pytest

import qemu

# Kind, what the report must say (a regular expression), and the function that its backtrace must show.
KINDS = [
    ("null-read", r"page fault: read at 0x10: NULL pointer", "null_read"),
    ("null-write", r"page fault: write at 0xfff8: NULL pointer", "null_write"),
    ("null-call", r"page fault: execute at (0x)?0: NULL pointer", "null_call"),
    ("text-write", r"page fault: write at 0x[0-9a-f]+: read-only", "text_write"),
    ("rodata-write", r"page fault: write at 0x[0-9a-f]+: read-only", "rodata_write"),
    ("relocated-write", r"page fault: write at 0x[0-9a-f]+: read-only", "relocated_write"),
    ("layout-write", r"page fault: write at 0x[0-9a-f]+: read-only", "layout_write"),
    ("data-execute", r"page fault: execute at 0x[0-9a-f]+: not executable", "data_execute"),
    ("stack-execute", r"page fault: execute at 0x[0-9a-f]+: not executable", "stack_execute"),
    ("heap-execute", r"page fault: execute at 0x[0-9a-f]+: not executable", "heap_execute"),
    ("direct-map-execute", r"page fault: execute at 0x[0-9a-f]+: not executable", "direct_map_execute"),
    ("image-alias-read", r"page fault: read at 0x[0-9a-f]+: not mapped", "image_alias_read"),
    ("load-address-read", r"page fault: read at 0x100000: not mapped", "load_address_read"),
    ("stack-overflow", r"kernel stack overflow: stack pointer 0x[0-9a-f]+", "recurse"),
    ("thread-stack-overflow", r"kernel stack overflow: stack pointer 0x[0-9a-f]+", "recurse"),
    ("stack-smash", r"stack smashed", "stack_smash"),
    ("area-guard-write", r"page fault: guard page of a kernel area at 0x[0-9a-f]+", "area_guard_write"),
    ("stack-pointer-lost", r"kernel stack overflow: stack pointer 0x[0-9a-f]+", "stack_pointer_lost"),
    ("stack-pointer-lost-call", r"kernel stack overflow: stack pointer 0x[0-9a-f]+", "kernel_start"),
    ("noncanonical-read", r"general protection", "noncanonical_read"),
    ("divide", r"divide error", "divide"),
    ("invalid-opcode", r"invalid opcode", "invalid_opcode"),
    ("closed-vector", r"general protection \(vector 13, error code 0x802\)", "closed_vector"),
    ("panic", r"on purpose: 42", "plain_panic"),
    ("timer-fault", r"page fault: write at 0xfff8: NULL pointer", "fault_in_timer"),
    ("other-cpu-fault", r"page fault: write at 0xfff8: NULL pointer", "null_write_thread"),
]


def expect_panic(result, reason, function):
    assert result.panicked, result.describe()
    assert re.search(r"panic: .*" + reason, result.output), result.describe()
    assert "panic: again" not in result.output, result.describe()
    assert re.search(r"\b" + function + r"[.\w]*\+", result.output), result.describe()


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("kind, reason, function", KINDS, ids=[k[0] for k in KINDS])
def test_fault(image, kind, reason, function, smp):
    expect_panic(qemu.boot(image("fault-cpu"), smp=smp, cmdline="-- " + kind), reason, function)


OTHER_MACHINES = [m for m in qemu.MACHINES if m is not qemu.MICROVM]


@pytest.mark.parametrize("machine", OTHER_MACHINES, ids=str)
@pytest.mark.parametrize("kind, reason, function", KINDS, ids=[k[0] for k in KINDS])
def test_machine(image, kind, reason, function, machine):
    expect_panic(qemu.boot(image("fault-cpu"), machine, cmdline="-- " + kind, smp=2), reason, function)


@pytest.mark.parametrize("kind, reason, function", KINDS, ids=[k[0] for k in KINDS])
def test_linux64(image, kind, reason, function):
    expect_panic(qemu.load(image("fault-cpu"), "mode=linux64", cmdline="-- " + kind, smp=2), reason, function)


# Where each takes long: NULL, each kind of W^X, a stack that overflows, a fault on another CPU.
SOME_KINDS = [k for k in KINDS if k[0] in ("null-write", "text-write", "data-execute", "stack-overflow", "other-cpu-fault")]


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.parametrize("kind, reason, function", SOME_KINDS, ids=[k[0] for k in SOME_KINDS])
def test_multiboot2(image, kind, reason, function, firmware):
    expect_panic(qemu.boot_iso(image("fault-cpu"), qemu.Q35, firmware, cmdline="-- " + kind, smp=2), reason, function)


def test_report_shows_log(image):
    """What was logged but not shown comes with the report, once."""
    result = qemu.boot(image("fault-cpu"), cmdline="-- null-write")
    assert "about to: null-write" in result.output[result.output.index("lines that were only logged so far:"):]
    result = qemu.boot(image("fault-cpu"), cmdline="loglevel=6 -- null-write")
    assert result.output.count("about to: null-write") == 1, result.describe()


def test_nothing_forbidden(image):
    result = qemu.boot(image("fault-cpu"), cmdline="-- no-such-kind")
    result.expect("nothing stopped it", status=1)
