"""Buses and interrupts: what is found on each machine, messages and lines from real devices, input from the console."""

import pytest

import qemu

EDU = ["-device", "edu", "-netdev", "user,id=n,restrict=on", "-device", "e1000e,netdev=n"]
MICROVM_PCI = qemu.Machine("microvm-pci", "microvm,pcie=on")
PCI_MACHINES = [qemu.PC, qemu.Q35, MICROVM_PCI]

LINES = b"one\ntwo words\n" + b"x" * 500 + b"\nend\n"
# Through which controller the console's line comes: the I/O APIC, or the 8259 pair when that is not to be used.
ROUTES = ["", "noapic"]


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("machine", PCI_MACHINES, ids=str)
def test_messages(image, machine, smp):
    """edu by MSI and e1000e by MSI-X, at places that firmware chose, or on microvm the kernel."""
    verdicts = qemu.boot(image("pci"), machine, smp=smp, extra=EDU).tap()
    assert "edu: a raised interrupt comes" in verdicts
    assert "e1000e: an interrupt by MSI-X" in verdicts


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("machine", [qemu.PC, qemu.Q35], ids=str)
def test_line(image, machine, route):
    verdicts = qemu.boot(image("pci"), machine, cmdline=route, extra=EDU).tap()
    chip = "8259" if route else "ioapic"
    assert [v for v in verdicts if v.startswith("edu: interrupt 3 on line") and chip in v], verdicts


def test_pci_behind_bridges(image):
    """A bridge behind a bridge, and a device behind both."""
    extra = ["-device", "pci-bridge,id=a,chassis_nr=1", "-device", "pci-bridge,id=b,chassis_nr=2,bus=a",
             "-device", "edu,bus=b"]
    result = qemu.boot(image("pci"), qemu.PC, extra=extra)
    assert "edu: a raised interrupt comes" in result.tap()
    result.expect("# pci 0000:02:01.0 1234:11e8" if "0000:02:01.0" in result.output else "# pci 0000:02:00.0 1234:11e8")


def test_no_pci(image):
    qemu.boot(image("pci")).expect("# pci devices: 0")


@pytest.mark.parametrize("machine, line", [
    (qemu.MICROVM, "# virtio-mmio@feb02e00 type 4 version 1 line 47 level"),
    (qemu.MICROVM_NOACPI, "# virtio-mmio@feb00e00 type 4 version 1 line 12 edge"),
], ids=str)
def test_virtio_mmio(image, machine, line):
    """The DSDT names it where there is ACPI, the command line where there is none."""
    result = qemu.boot(image("pci"), machine, extra=["-device", "virtio-rng-device"])
    result.expect(line, "# virtio-mmio devices: 1").tap()


def test_virtio_mmio_behind_program(image):
    """QEMU appends its words to the program's."""
    result = qemu.boot(image("pci"), qemu.MICROVM_NOACPI, cmdline="-- word", extra=["-device", "virtio-rng-device"])
    result.expect("# virtio-mmio devices: 1")


def test_virtio_mmio_modern(image):
    extra = ["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device"]
    qemu.boot(image("pci"), extra=extra).expect("type 4 version 2")


@pytest.mark.parametrize("option", ["4K@0x1000:5", "4K@0xfee00000:5", "512@0xfeb00e01:5", "1@0xfeb00e00:5", "4K", "@@::",
                                    "0xffffffffffffffff@0xfeb00e00:5", "4K@0xffffffffff000:5"])
def test_virtio_mmio_hostile(image, option):
    """A place that holds no device, or cannot, is passed over."""
    result = qemu.boot(image("pci"), qemu.MICROVM_NOACPI, cmdline="virtio_mmio.device=" + option)
    result.expect("# virtio-mmio devices: 0").tap()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_irq(image, machine, route):
    verdicts = qemu.boot(image("irq"), machine, cmdline=route).tap()
    assert "ISA line 10: " + ("8259" if route else "ioapic") in verdicts


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_console_input(image, machine, route, smp):
    """What is in the pipe before the guest runs arrives whole, line by line, by interrupt."""
    result = qemu.boot(image("console-echo"), machine, cmdline=route, smp=smp, stdin=LINES)
    result.expect("ready on ttyS0", *("echo: " + line for line in LINES.decode().splitlines()))


def test_console_input_much(image):
    lines = [f"line {n} of many" for n in range(300)] + ["end"]
    result = qemu.boot(image("console-echo"), stdin="\n".join(lines + [""]).encode())
    result.expect(*("echo: " + line + "\n" for line in lines))


def test_console_debugcon(image, tmp_path):
    """console=debugcon sends everything there; without the device the serial port serves."""
    out = tmp_path / "debugcon"
    extra = ["-debugcon", f"file:{out}"]
    assert qemu.boot(image("hello"), cmdline="console=debugcon", extra=extra).output == ""
    assert out.read_text() == "hello from main\n"
    qemu.boot(image("hello"), cmdline="console=debugcon").expect("hello from main")
    out.unlink()
    qemu.boot(image("hello"), cmdline="console=debugcon console=ttyS0,115200", extra=extra).expect("hello from main")
    assert out.read_text() == "hello from main\n"


def test_console_none(image):
    """A machine without any console runs all the same."""
    line = qemu.command(qemu.Machine("microvm", "microvm,isa-serial=off"), kernel=image("hello"))
    line[line.index("-serial") + 1] = "none"
    assert qemu.run(line).guest_status == 0
