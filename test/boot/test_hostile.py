"""What a loader tells the kernel may be wrong on purpose: the kernel boots on what is left, or panics and says why. It never
hangs, and never dies without a word (a triple fault ends QEMU with status 0 and neither line)."""

import pytest

import qemu
from test_hello import HELLO


def hello_or_panic(result):
    if result.guest_status == qemu.EXIT_PANIC:
        result.expect("panic: ", status=qemu.EXIT_PANIC)
    else:
        result.expect(HELLO)


# What the loader lies about, and the line that says so; None where nothing needs to be said.
BOTH = {
    "memory-wrap": "memory map entry 6 wraps: ignored",
    "memory-overlap": None,  # the less usable type counts, as the specifications say
    "cmdline-address": "{}: the command line is cut",
    "cmdline-endless": "{}: the command line is cut",
    "rsdp-address": "acpi: table RSDP at 0x7ffffffffffff000: bad signature or checksum at offset 0",
    "rsdp-junk": "acpi: table RSDP at 0x20000: bad signature or checksum at offset 0",
}
PVH = BOTH | {
    "magic": "pvh: no start info at 0x6000",
    "version": "pvh: start info of version 0 has no memory map",
    "memory-count": "pvh: memory map has 4294967295 entries",
    "memory-none": "pvh: memory map of 0 entries at 0x7000 cannot be read",
    "memory-address": "pvh: memory map of 6 entries at 0xfffffffffffff000 cannot be read",
    "module-address": "pvh: list of 1 modules at 0xffffffffffffffff cannot be read",
    "module-count": "pvh: 4294967295 modules, taking 16",
}
LINUX64 = BOTH | {
    "magic": "linux64: no boot_params with a setup header at 0x7000",
    "memory-count": "linux64: e820 map has 255 entries, taking 128",
    "memory-none": "boot: linux64 names no usable RAM",
    "memory-wrap": "linux64: e820 entry 6 does not fit in the map: ignored",
    "module-address": None,
    "setup-data": "linux64: setup_data node 0 at 0xfffffffffffffff0: ignoring the rest of the list",
    "setup-data-loop": "linux64: setup_data node 64 at 0x1f000: ignoring the rest of the list",
}
CASES = [("pvh", *lie) for lie in PVH.items()] + [("linux64", *lie) for lie in LINUX64.items()]


@pytest.mark.parametrize("mode, what, line", CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_loader_lies(image, mode, what, line):
    result = qemu.load(image("hello"), f"mode={mode} break={what}", timeout=20)
    hello_or_panic(result)
    assert line is None or line.format(mode) in result.output, result.describe()


CMDLINES = {
    "empty values": "loglevel= console= =",
    "numbers too large": "loglevel=99999999999999999999999 loglevel=-1 loglevel=0x",
    "not text": "\x01\x02\x7f \xff\xfe %s%n%x",
    "long": "x" * 2000,
    "longer than it keeps": "loglevel=4 " + "y=z " * 2000,
    "quotes": "\"unclosed 'quote \\",
    "repeated": "loglevel=7 " * 200,
    "virtio-mmio that is none": "virtio_mmio.device=4K@0x0:999 virtio_mmio.device=512@0xffffffffffffffff:1 "
                                "virtio_mmio.device=@:: virtio_mmio.device=0@0:0",
}


@pytest.mark.parametrize("text", CMDLINES.values(), ids=CMDLINES.keys())
@pytest.mark.parametrize("machine", [qemu.MICROVM, qemu.Q35], ids=str)
def test_cmdline(image, machine, text):
    """QEMU itself writes over its start info when the command line is long; the kernel must see that."""
    hello_or_panic(qemu.boot(image("hello"), machine, cmdline=text))
