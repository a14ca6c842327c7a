"""Each boot is at a place of its own, with a canary of its own, and nothing is writable and executable (guest/layout.c)."""

import re

import pytest

import qemu

BOOTS = 6
# What the place is a multiple of (the image's, of where it is linked), and over how much the places of a few boots spread.
STEPS = {"image": 1 << 20, "direct-map": 1 << 30, "page-array": 1 << 30, "area": 4096, "stack": 4096, "canary": 256,
         "random": 1}
SPREAD_BITS = 30


def places(result):
    result.tap()
    return {name: int(value, 16) for name, value in re.findall(r"^# ([a-z-]+) ([0-9a-f]+)$", result.output, re.MULTILINE)}


# With RDRAND, and without, where time is all there is.
@pytest.mark.parametrize("cpu", ["max", "qemu64"])
def test_random(image, cpu):
    boots = [places(qemu.boot(image("layout"), cpu=cpu)) for _ in range(BOOTS)]
    for name, step in STEPS.items():
        seen = [boot[name] for boot in boots]
        assert len(set(seen)) == BOOTS, (name, [hex(v) for v in seen])
        assert all(v % step == 0 for v in seen) and all(seen), (name, [hex(v) for v in seen])
        assert max(seen) - min(seen) > 1 << SPREAD_BITS, (name, [hex(v) for v in seen])


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_machine(image, machine):
    qemu.boot(image("layout"), machine, smp=4).tap()


@pytest.mark.parametrize("options", ["mode=linux64", "mode=pvh rsdp=0"])
def test_loader(image, options):
    qemu.load(image("layout"), options, smp=4).tap()


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_multiboot2(image, firmware):
    qemu.boot_iso(image("layout"), qemu.Q35, firmware, smp=4).tap()


def test_no_entropy(image):
    """Time that is a function of the instructions executed seeds nothing: who reads random numbers is told so."""
    result = qemu.boot(image("layout"), cpu="qemu64", extra=["-icount", "shift=0,sleep=off"])
    result.expect("panic: no entropy to seed random numbers", status=qemu.EXIT_PANIC)


@pytest.mark.parametrize("cpu", ["qemu64,-nx", "qemu32"])
def test_cpu_refused(image, cpu):
    """Without no-execute pages, or without 64-bit mode, there is a line and no more: the CPU halts."""
    result = qemu.boot(image("hello"), cpu=cpu, timeout=3)
    assert result.output == "drupe: this CPU has no 64-bit mode with no-execute pages\n", result.describe()
