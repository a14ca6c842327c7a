"""The clock image where the sources differ: each machine's own, a CPU that names no hypervisor, exact time."""

import re

import pytest

import qemu

SOURCES = {"microvm": {"tsc", "pit"}, "microvm-noacpi": {"tsc", "pit"},
           "pc": {"tsc", "pit", "hpet", "acpi_pm"}, "q35": {"tsc", "pit", "hpet", "acpi_pm"}}


def sources(result):
    """Those that the guest has gone over to; every check has passed."""
    result.tap()
    return set(re.findall(r"going over to (\w+)", result.output))


@pytest.mark.parametrize("cpu", ["qemu64", "qemu64,-hypervisor"])
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_sources(image, machine, cpu):
    """Without the hypervisor bit: no trust in the TSC of other CPUs, no known timer frequency, waits of real hardware."""
    assert sources(qemu.boot(image("clock"), machine, cpu=cpu, smp=2, timeout=60)) == SOURCES[machine.name]


def test_exact(image):
    """QEMU counts instructions: 1,000,000 of them are a millisecond, by the TSC and by every other clock."""
    result = qemu.boot(image("clock"), cpu="max", extra=["-icount", "shift=0,sleep=off"], timeout=60)
    result.tap()
    khz = int(re.search(r"the CPU counts (\d+) kHz", result.output).group(1))
    assert abs(khz - 1000000) <= 300, result.describe()
