"""ACPI tables made by hand (ACPI 6.4, chapter 5): whole ones, and ones with a lie in them. The tests place them in the guest's
memory and have the loader point the kernel at them."""

import struct

BASE = 0x80000  # in the low memory that firmware leaves alone
LOCAL_APIC = 0xfee00000
IO_APIC = 0xfec00000


def checksummed(data, at):
    """DATA with the byte AT set so that all bytes sum to 0."""
    data = bytearray(data)
    data[at] = 0
    data[at] = -sum(data) & 0xff
    return bytes(data)


def table(signature, body, length=None, spoil_checksum=False):
    """A system description table (5.2.6). LENGTH: what the header claims, if it is not the truth."""
    header = struct.pack("<4sIBB6s8sIII", signature, 36 + len(body) if length is None else length, 1, 0, b"DRUPE ",
                         b"TESTTEST", 1, 0, 0)
    data = checksummed(header + body, 9)
    if spoil_checksum:
        data = data[:9] + bytes([data[9] ^ 0x55]) + data[10:]
    return data


def rsdp(xsdt, spoil_checksum=False):
    """The root pointer, revision 2 (5.2.5.3), with an XSDT only."""
    data = checksummed(struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"DRUPE ", 2, 0), 8)
    data = checksummed(data + struct.pack("<IQB3s", 36, xsdt, 0, b""), 32)
    return data if not spoil_checksum else data[:8] + bytes([data[8] ^ 1]) + data[9:]


def local_apic(number, apic_id, flags=1):
    return struct.pack("<BBBBI", 0, 8, number, apic_id, flags)


def io_apic(apic_id=0, address=IO_APIC, base=0):
    return struct.pack("<BBBBII", 1, 12, apic_id, 0, address, base)


def madt(entries, **lies):
    return table(b"APIC", struct.pack("<II", LOCAL_APIC, 1) + entries, **lies)


def tree(tables, xsdt_entries=None, **lies):
    """The bytes at BASE: RSDP, XSDT, TABLES. XSDT_ENTRIES: extra addresses that the XSDT lists first."""
    where, placed = BASE + 0x1000, []
    for data in tables:
        placed.append(where)
        where += (len(data) + 63) & ~63
    entries = list(xsdt_entries or []) + placed
    root = table(b"XSDT", struct.pack(f"<{len(entries)}Q", *entries), **lies)
    blob = rsdp(BASE + 0x40).ljust(0x40, b"\0") + root
    assert len(blob) <= 0x1000
    blob = blob.ljust(0x1000, b"\0")
    for address, data in zip(placed, tables):
        blob = blob.ljust(address - BASE, b"\0") + data
    return blob
