"""boot-hello by every boot protocol: PVH is test_hello.py's, here are multiboot2, 64-bit Linux and PVH without a RSDP."""

import re
import subprocess

import pytest

import qemu
from test_hello import HELLO


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("memory", [64, 2048, 65536])
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
@pytest.mark.parametrize("options", ["mode=linux64", "mode=linux64 rsdp=0", "mode=pvh rsdp=0"])
def test_loader(image, options, machine, memory, smp):
    qemu.load(image("hello"), options, machine=machine, memory=memory, smp=smp).expect(HELLO)


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.parametrize("machine", [qemu.PC, qemu.Q35], ids=str)
def test_multiboot2(image, machine, firmware, smp):
    qemu.boot_iso(image("hello"), machine, firmware, smp=smp).expect(HELLO)


@pytest.mark.parametrize("memory", [32, 16384])
def test_multiboot2_memory(image, memory):
    qemu.boot_iso(image("hello"), qemu.Q35, "bios", memory=memory).expect(HELLO)


def test_multiboot2_says_so(image):
    """The command line reaches the image through GRUB, and the log names the protocol."""
    qemu.boot_iso(image("hello"), qemu.PC, "bios", cmdline="loglevel=7").expect("multiboot2", HELLO)


@pytest.mark.parametrize("options, name", [("mode=linux64", "linux64"), ("mode=pvh", "pvh")])
def test_loader_says_so(image, options, name):
    qemu.load(image("hello"), options, cmdline="loglevel=7").expect(name, HELLO)


# PGE, PCIDE, SMEP with SMAP, 5-level paging, and that with PCIDE: bits of CR4 (Intel SDM vol. 3, 2.5) beside PAE.
@pytest.mark.parametrize("bits", [0x80, 0x20000, 0x300000, 0x1000, 0x21080])
def test_loader_leftovers(image, bits):
    """Modes that a loader may leave switched on are none of the kernel's."""
    options = {"options": f"mode=linux64 cr4={0x20 | bits:x}", "cpu": "max", "smp": 2}
    qemu.load(image("hello"), **options).expect(HELLO)
    result = qemu.load(image("fault-cpu"), cmdline="-- load-address-read", **options)
    assert result.panicked and "read at 0x100000: not mapped" in result.output, result.describe()


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_multiboot2_modules(image, firmware):
    modules = tuple((f"module {n} with some text", bytes([n]) * 5000) for n in range(20))
    qemu.boot_iso(image("hello"), qemu.Q35, firmware, modules=modules).expect(HELLO)


@pytest.mark.parametrize("name", ["hello", "pci", "layout"])
def test_no_gap_in_image(image, name):
    """A loader may put what it has to say into any memory that the image does not claim, between its segments too."""
    headers = subprocess.run(["readelf", "-lW", image(name)], check=True, capture_output=True, text=True).stdout
    loads = re.findall(r"^ +LOAD +\S+ \S+ (\S+) \S+ (\S+)", headers, re.MULTILINE)
    segments = [(int(start, 16), int(length, 16)) for start, length in loads]
    assert len(segments) == 3, headers
    for (start, length), (following, _) in zip(segments, segments[1:]):
        assert start + length == following, headers
