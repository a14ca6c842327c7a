"""Every test image: guest/NAME.c prints TAP, on every machine and by every boot protocol. guest/fault-*.c are for tests of
their own."""

import glob
import os

import pytest

import qemu

GUEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest")
# Images that are no tests: they say other things on the console.
NOT_TAP = {"hello", "console-echo", "leak", "layout", "reboot"}
NAMES = sorted(name for name in (os.path.basename(path)[:-2] for path in glob.glob(GUEST + "/*.c"))
               if not name.startswith("fault-") and name not in NOT_TAP)
TIMEOUT = 60
# A PC without ACPI: the BIOS writes an MP table into its ROM, which names one CPU of each package.
PC_MPTABLE = qemu.Machine("pc-mptable", "pc,acpi=off")


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_guest(image, name, smp):
    qemu.boot(image(name), smp=smp, timeout=TIMEOUT).tap()


@pytest.mark.parametrize("machine", [m for m in qemu.MACHINES if m is not qemu.MICROVM], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_machine(image, name, machine):
    qemu.boot(image(name), machine, smp=4, timeout=TIMEOUT).tap()


@pytest.mark.parametrize("machine", [qemu.MICROVM, qemu.Q35], ids=str)
@pytest.mark.parametrize("options", ["mode=linux64", "mode=pvh rsdp=0"])
@pytest.mark.parametrize("name", NAMES)
def test_loader(image, name, options, machine):
    qemu.load(image(name), options, machine=machine, smp=4, timeout=TIMEOUT).tap()


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.parametrize("name", NAMES)
def test_multiboot2(image, name, firmware):
    qemu.boot_iso(image(name), qemu.Q35, firmware, smp=4, timeout=2 * TIMEOUT).tap()


def test_stray_interrupt(image):
    """An interrupt on a vector that nobody has opened is named once on each CPU."""
    result = qemu.boot(image("irq"), smp=2, timeout=TIMEOUT)
    result.tap()
    for cpu in range(2):
        assert result.output.count(f"which nobody has opened, came on CPU {cpu}\n") == 1, result.describe()


@pytest.mark.parametrize("machine", qemu.MACHINES + [PC_MPTABLE], ids=str)
def test_every_cpu(image, machine):
    """All CPUs are found and used: by MADT, by microvm's MP table, by the BIOS's."""
    result = qemu.boot(image("pingpong"), machine, smp="4,sockets=4", timeout=TIMEOUT)
    assert "every CPU took part" in result.tap()
    result.expect("# 4 CPUs")
