"""The ways out: a reset starts the image again, a power-off does not, and the status comes through where it can."""

import pytest

import qemu

WITH_POWER_OFF = [qemu.MICROVM, qemu.PC, qemu.Q35]


def without(line, *words):
    """A command line less some of its words: an option that has none, or an option with its value."""
    at = line.index(words[0])
    assert tuple(line[at:at + len(words)]) == words
    return line[:at] + line[at + len(words):]


def restartable(image, machine, cmdline="", smp=4):
    """On this command line a reset starts the guest again, and does not end QEMU."""
    return without(qemu.command(machine, kernel=image, cmdline=cmdline, smp=smp), "-no-reboot")


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_reset(image, machine, smp):
    qemu.run(restartable(image("reboot"), machine, smp=smp), timeout=10).expect("first start\n", "second start\n", status=3)


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_reset_multiboot2(image, firmware):
    """Without the loader's ACPI tables at hand again, all that comes back is what firmware and GRUB do anew."""
    iso = qemu.make_iso(image("reboot"))
    extra = ["-cdrom", iso, "-boot", "d"] + (["-bios", qemu.OVMF] if firmware == "uefi" else [])
    line = without(qemu.command(qemu.Q35, memory=256, smp=4, extra=extra), "-no-reboot")
    qemu.run(line, timeout=60).expect("first start\n", "second start\n", status=3)


@pytest.mark.parametrize("machine", WITH_POWER_OFF, ids=str)
def test_power_off(image, machine):
    """QEMU ends although it would restart a guest that resets."""
    result = qemu.run(restartable(image("reboot"), machine, "-- off"))
    assert result.expect("off at once\n").output.count("off at once") == 1
    assert result.status == 0, result.describe()


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_power_off_or_reset(image, machine):
    """A machine without power-off (microvm without ACPI) resets, which QEMU takes for the end with -no-reboot."""
    result = qemu.boot(image("reboot"), machine, cmdline="loglevel=6 -- off").expect("off at once\n")
    assert ("no power-off: resetting" in result.output) == (machine not in WITH_POWER_OFF), result.describe()


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_panic_without_exit_device(image, machine):
    """No device takes the status: the report is on the console, and the machine ends all the same."""
    line = without(qemu.command(machine, kernel=image("fault-cpu"), cmdline="-- null-write", smp=4), *qemu.EXIT_DEVICE)
    result = qemu.run(line)
    assert result.status == 0 and "NULL pointer" in result.output, result.describe()


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_panic_status(image, machine):
    result = qemu.boot(image("fault-cpu"), machine, cmdline="-- null-write")
    assert result.status == 255, result.describe()
