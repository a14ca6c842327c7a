"""Firmware tables that lie: the kernel boots on what it can believe, in bounded time, and says what it did not believe."""

import struct

import pytest

import acpi
import qemu
from test_hello import HELLO
from test_hostile import hello_or_panic

ONE_CPU = acpi.local_apic(0, 0) + acpi.io_apic()
FOUR_CPUS = b"".join(acpi.local_apic(n, n) for n in range(4)) + acpi.io_apic()
WILD = [0, 1, 0xfff, 0xfffffffffffffff0, 0x7ffffffffffff000, 0xfee00000, 0x100000]


def fadt(dsdt, length=244):
    """FACP (5.2.9) that names only a DSDT, in both of its places."""
    body = bytearray(length - 36)
    body[4:8] = struct.pack("<I", dsdt & 0xffffffff)
    if length >= 148:
        body[104:112] = struct.pack("<Q", dsdt)
    return acpi.table(b"FACP", bytes(body))


CASES = {
    "madt whole": acpi.tree([acpi.madt(FOUR_CPUS)]),
    "no table": acpi.tree([]),
    "rsdp checksum": acpi.rsdp(acpi.BASE + 0x40, spoil_checksum=True),
    "rsdp points at itself": acpi.rsdp(acpi.BASE),
    "rsdp points nowhere": acpi.rsdp(0xfffffffffffff000),
    "xsdt checksum": acpi.tree([acpi.madt(FOUR_CPUS)], spoil_checksum=True),
    "xsdt shorter than its header": acpi.tree([acpi.madt(FOUR_CPUS)], length=8),
    "xsdt length odd": acpi.tree([acpi.madt(FOUR_CPUS)], length=41),
    "xsdt endless": acpi.tree([acpi.madt(FOUR_CPUS)], length=0xffffffff),
    "xsdt lists itself": acpi.tree([acpi.madt(FOUR_CPUS)], xsdt_entries=[acpi.BASE + 0x40] * 50),
    "xsdt lists nowhere": acpi.tree([acpi.madt(FOUR_CPUS)], xsdt_entries=WILD),
    "madt checksum": acpi.tree([acpi.madt(FOUR_CPUS, spoil_checksum=True)]),
    "madt shorter than its header": acpi.tree([acpi.madt(FOUR_CPUS, length=20)]),
    "madt endless": acpi.tree([acpi.madt(FOUR_CPUS, length=0xfffffff0)]),
    "madt empty": acpi.tree([acpi.madt(b"")]),
    "madt entry of length 0": acpi.tree([acpi.madt(ONE_CPU + b"\0\0" + FOUR_CPUS)]),
    "madt entry of length 1": acpi.tree([acpi.madt(ONE_CPU + b"\0\1" + FOUR_CPUS)]),
    "madt entry past the end": acpi.tree([acpi.madt(ONE_CPU + b"\0\xff")]),
    "madt cut in an entry": acpi.tree([acpi.madt(ONE_CPU + b"\0\x08\0")]),
    "madt half an entry": acpi.tree([acpi.madt(ONE_CPU + b"\x01")]),
    "madt same cpu often": acpi.tree([acpi.madt(acpi.local_apic(0, 0) * 300)]),
    "madt cpus that are not there": acpi.tree([acpi.madt(b"".join(acpi.local_apic(n, n) for n in range(255)))]),
    "madt too many cpus": acpi.tree([acpi.madt(b"".join(
        struct.pack("<BBHIII", 9, 16, 0, n, 1, n) for n in range(2000)))]),
    "madt io apic nowhere": acpi.tree([acpi.madt(ONE_CPU + acpi.io_apic(address=0) + acpi.io_apic(address=0x100000))]),
    "fadt of length 36": acpi.tree([acpi.table(b"FACP", b""), acpi.madt(ONE_CPU)]),
    "fadt dsdt nowhere": acpi.tree([fadt(0xfffffff0), acpi.madt(ONE_CPU)]),
    "fadt dsdt is itself": acpi.tree([fadt(acpi.BASE + 0x1000), acpi.madt(ONE_CPU)]),
    "mcfg with wild windows": acpi.tree([acpi.table(b"MCFG", bytes(8) + struct.pack(
        "<QHBBI", 0xffffffffffff0000, 0, 255, 0, 0) * 20), acpi.madt(ONE_CPU)]),
    "hpet nowhere": acpi.tree([acpi.table(b"HPET", bytes(20)), acpi.madt(ONE_CPU)]),
    "all ones": b"\xff" * 0x4000,
}


def boot(image, blob, tmp_path, **options):
    path = tmp_path / "tables"
    path.write_bytes(blob)
    place = ["-device", f"loader,file={path},addr={acpi.BASE:#x},force-raw=on"]
    return qemu.load(image, f"mode=pvh rsdp={acpi.BASE:x}", extra=place, timeout=30, **options)


@pytest.mark.parametrize("blob", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("smp", [1, 4])
def test_tables(image, tmp_path, blob, smp):
    hello_or_panic(boot(image("hello"), blob, tmp_path, smp=smp))


def test_says_which_table(image, tmp_path):
    """The log names the table that it does not believe."""
    boot(image("hello"), CASES["madt checksum"], tmp_path, smp=2).expect("APIC", HELLO)
