"""Programs that cannot be started, on purpose: each ends with one line that says why and with docker-run's status (125: the
machine, 126: not executable, 127: not found), never with a panic; and what looks strange but is allowed runs."""

import dataclasses
import os
import struct
import subprocess

import pytest

import program
import qemu

RAN = 7  # exit status of the program that writes "ran"
# write(1, "ran\n", 4); exit(7)
CODE = bytes.fromhex("b801000000 bf01000000 488d3515000000 ba04000000 0f05 b83c000000 bf07000000 0f05 0f0b") + b"ran\n"
LOAD, INTERP, NOTE, GNU_STACK = 1, 3, 4, 0x6474E551
R, W, X = 4, 2, 1
HEADERS = 64 + 56 * 64


@dataclasses.dataclass
class Segment:
    type: int = LOAD
    flags: int = R | X
    off: int = 0
    va: int = 0x400000
    file_len: int = None  # all of the file
    mem_len: int = None
    align: int = 4096


def elf(segments=(), tail=b"", **header):
    """A program of our own: header, program headers, code at HEADERS, then TAIL. HEADER changes fields by name."""
    length = HEADERS + len(CODE) + len(tail)
    fields = {"cls": 2, "data": 1, "type": 2, "machine": 62, "entry": 0x400000 + HEADERS, "phoff": 64, "phentsize": 56}
    segments = list(segments) or [Segment()]
    fields |= {"phnum": len(segments)} | header
    out = b"\x7fELF" + bytes([fields["cls"], fields["data"], 1]) + bytes(9)
    out += struct.pack("<HHIQQQIHHHHHH", fields["type"], fields["machine"], 1, fields["entry"], fields["phoff"], 0, 0, 64,
                       fields["phentsize"], fields["phnum"], 64, 0, 0)
    for s in segments:
        in_file = length if s.file_len is None else s.file_len
        out += struct.pack("<IIQQQQQQ", s.type, s.flags, s.off, s.va, s.va, in_file,
                           in_file if s.mem_len is None else s.mem_len, s.align)
    return out.ljust(HEADERS, b"\0") + CODE + tail


def with_interpreter(path):
    return elf([Segment(INTERP, R, HEADERS + len(CODE), 0, len(path)), Segment()], path)


FULL = Segment()
# Name, content, what the console must say.
REFUSED = {
    "empty": (b"", "too short for an ELF file"),
    "one-byte": (b"\x7f", "too short for an ELF file"),
    "short": (elf()[:63], "too short for an ELF file"),
    "header-only": (elf()[:64], "program headers past the end of the file"),
    "text": (b"echo hello\n" * 10, "not an ELF file"),
    "zeros": (bytes(8192), "not an ELF file"),
    "i386": (elf(cls=1, machine=3), "a program for 32-bit x86"),
    "arm64": (elf(machine=183), "a program for arm64"),
    "riscv": (elf(machine=243), "a program for another machine"),
    "x32": (elf(cls=1), "not a 64-bit little-endian ELF file"),
    "big-endian": (elf(data=2), "not a 64-bit little-endian ELF file"),
    "object": (elf(type=1), "not an executable file"),
    "core": (elf(type=4), "not an executable file"),
    "phnum-0": (elf(phnum=0), "program headers of an unknown size or number"),
    "phnum-65535": (elf(phnum=65535), "program headers of an unknown size or number"),
    "phentsize": (elf(phentsize=32), "program headers of an unknown size or number"),
    "phoff-far": (elf(phoff=1 << 40), "program headers past the end of the file"),
    "phoff-wraps": (elf(phoff=(1 << 64) - 56), "program headers past the end of the file"),
    "no-segment": (elf([Segment(NOTE)]), "nothing to load"),
    "entry-outside": (elf(entry=0x10), "an entry point outside of its segments"),
    "entry-wild": (elf(entry=(1 << 64) - 1), "an entry point outside of its segments"),
    "file-too-long": (elf([Segment(file_len=1 << 20)]), "a segment past the end of the file"),
    "offset-wraps": (elf([Segment(off=(1 << 64) - 4096)]), "a segment past the end of the file"),
    "mem-shorter": (elf([Segment(mem_len=100)]), "a segment is larger in the file than in memory"),
    "overlap": (elf([FULL, Segment(va=0x400000)]), "segments that overlap or are out of order"),
    "shared-page": (elf([FULL, Segment(va=0x400800, off=0x800, file_len=8)]), "segments that overlap or are out of order"),
    "descending": (elf([FULL, Segment(va=0x300000)]), "segments that overlap or are out of order"),
    "misaligned": (elf([Segment(va=0x400010)]), "a segment whose address and offset differ within a page"),
    "align-odd": (elf([Segment(align=4097)]), "a segment with an alignment that is no power of two or too large"),
    "align-huge": (elf([Segment(align=1 << 63)]), "a segment with an alignment that is no power of two or too large"),
    "address-kernel": (elf([Segment(va=0xFFFFFFFF80000000)]), "a segment outside of the address space"),
    "address-zero": (elf([Segment(va=0)], entry=HEADERS), "linked to an address that a program cannot have"),
    "address-low": (elf([Segment(va=0x1000)], entry=0x1000 + HEADERS), "linked to an address that a program cannot have"),
    "address-top": (elf([Segment(va=0x7FFFFFFFE000, mem_len=0x3000)], entry=0x7FFFFFFFE000 + HEADERS), None),
    "bss-huge": (elf([Segment(flags=R | W | X, mem_len=1 << 46)]), None),
    "bss-wraps": (elf([Segment(flags=R | W | X, mem_len=(1 << 64) - 1)]), "a segment outside of the address space"),
    "pie-huge": (elf([Segment(va=0, flags=R | W | X, mem_len=(1 << 47) - 4096)], type=3, entry=HEADERS), None),
    "interpreters-2": (elf([Segment(INTERP, R, HEADERS, 0, 8), Segment(INTERP, R, HEADERS, 0, 8), FULL]),
                       "more than one interpreter"),
    "interpreter-long": (elf([Segment(INTERP, R, HEADERS, 0, 5000), FULL]), "an interpreter's path of a strange length"),
    "interpreter-far": (elf([Segment(INTERP, R, 1 << 63, 0, 8), FULL]), "an interpreter's path of a strange length"),
    "interpreter-open": (with_interpreter(b"/lib/ld.so"), "an interpreter's path without an end"),
    "interpreter-missing": (with_interpreter(b"/lib/nowhere.so\0"), "the interpreter /lib/nowhere.so cannot be opened"),
    "interpreter-folder": (with_interpreter(b"/tmp\0"), "the interpreter /tmp cannot be opened"),
    "interpreter-text": (with_interpreter(b"/bin/text\0"), "exec: /bin/text: not an ELF file"),
    "interpreter-short": (with_interpreter(b"/bin/short\0"), "exec: /bin/short: "),
    "interpreter-plain": (with_interpreter(b"/bin/plain-file\0"), "the interpreter /bin/plain-file cannot be opened"),
    "interpreter-nested": (with_interpreter(b"/bin/interpreter-good\0"), "an interpreter that wants an interpreter"),
    "interpreter-itself": (with_interpreter(b"/bin/interpreter-itself\0"), "an interpreter that wants an interpreter"),
    "script-nothing": (b"#!", None),
    "script-blank": (b"#!  \t \nx\n", "a script without an interpreter"),
    "script-missing": (b"#!/bin/nowhere -x\n", None),
    "script-folder": (b"#!/tmp\n", None),
    "script-text": (b"#!/bin/text\n", "not an ELF file"),
    "script-itself": (b"#!/bin/script-itself\n", None),
    "script-long": (b"#!/" + b"x" * 5000 + b"\n", None),
}
STATUS = {"interpreter-missing": 127, "script-missing": 127, "script-long": 127}
ALLOWED = {
    "good": elf(),
    "pie": elf([Segment(va=0)], type=3, entry=HEADERS),
    "pie-aligned": elf([Segment(va=0, align=1 << 30)], type=3, entry=HEADERS),
    "empty-segment": elf([FULL, Segment(va=0x500000, file_len=0)]),
    "bss-large": elf([FULL, Segment(flags=R | W, va=0x10000000, file_len=0, mem_len=48 << 20)]),
    "stack-exec": elf([FULL, Segment(GNU_STACK, R | W | X, 0, 0, 0)]),
    "phdrs-64": elf([FULL] + [Segment(NOTE, R, 0, 0, 0)] * 63),
    "interpreter-good": with_interpreter(b"/bin/pie\0"),
    "interpreter-fixed": with_interpreter(b"/bin/good\0"),
    "script": b"#! /bin/good  an argument \nwhatever\n",
    "script-open": b"#!/bin/good",
    "script-of-script": b"#!/bin/script\n",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """One root file system with all of them in /bin; plain-file may not be executed."""
    folder = tmp_path_factory.mktemp("exec")
    whole = program.Tree()
    whole.drop(".")
    files = {name: content for name, (content, _) in REFUSED.items()} | ALLOWED
    for name, content in (files | {"plain-file": elf()}).items():
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o644 if name == "plain-file" else 0o755)
        whole.put("/bin/" + name, str(path))
    whole.put("/usr/bin/good", str(folder / "good"))
    whole.put("/bin/loop", ("loop",))
    return whole


def start(tree, kernel, line, **options):
    """Boots with LINE as the whole command line."""
    return qemu.boot(kernel, cpu="max", memory=64, cmdline=line, initrd=tree.image(), timeout=60, **options)


def refused(result, status, *lines):
    assert result.guest_status == status, result.describe()
    assert "panic" not in result.output and "ran" not in result.output.split(), result.describe()
    for line in lines:
        assert line in result.output, f"no {line!r}\n{result.describe()}"


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tree, kernel, name):
    refused(start(tree, kernel, f"-- /bin/{name} x"), STATUS.get(name, 126), REFUSED[name][1] or "",
            f"/bin/{name} cannot be started: E")


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(tree, kernel, name):
    start(tree, kernel, f"-- /bin/{name} x").expect("ran\n", status=RAN)


@pytest.mark.parametrize("line, status, said", [
    ("-- /bin/nowhere", 127, "/bin/nowhere cannot be started: ENOENT"),
    ("-- nowhere", 127, "nowhere cannot be started: ENOENT"),
    ("env=PATH= -- good", 127, "good cannot be started: ENOENT"),
    ("-- /tmp", 126, "/tmp cannot be started: EACCES"),
    ("-- /", 126, "/ cannot be started: EACCES"),
    ("-- .", 126, ". cannot be started: "),
    ("-- /bin/plain-file", 126, "/bin/plain-file cannot be started: EACCES"),
    ("-- plain-file", 126, "plain-file cannot be started: EACCES"),
    ("-- /bin/good/", 126, "/bin/good/ cannot be started: ENOTDIR"),
    ("-- /bin/good/x", 126, "/bin/good/x cannot be started: ENOTDIR"),
    ("-- /bin/loop", 126, "/bin/loop cannot be started: ELOOP"),
    ("-- /dev/zero", 126, "/dev/zero cannot be started: EACCES"),
    ("-- /" + "x" * 300, 126, "cannot be started: ENAMETOOLONG"),
    ('-- ""', 127, "cannot be started: ENOENT"),
    ("", 125, "no program: "),
    ("--", 125, "no program: "),
    ("loglevel=4 /bin/good", 125, "no program: "),
    ("cwd=/nowhere -- /bin/good", 125, "cwd=/nowhere: ENOENT"),
    ("cwd=/bin/good -- /bin/good", 125, "cwd=/bin/good: ENOTDIR"),
    ("cwd= -- /bin/good", 125, "cwd=: ENOENT"),
])
def test_line_refused(tree, kernel, line, status, said):
    refused(start(tree, kernel, line), status, said)


@pytest.mark.parametrize("line", [
    "-- good", "env=PATH=/nowhere:/tmp:/usr/bin -- good", "env=PATH=/bin/plain-file:/bin -- good",
    "cwd=/bin -- ./good", "cwd=/usr/bin env=PATH=: -- good", "env= env=X env=Y= -- /bin/good",
    " ".join(f"env=V{n}={n}" for n in range(100)) + " -- /bin/good",
    "-- /bin/good " + " ".join(map(str, range(100))), "-- /bin/good " + "x" * 1500,
    "trace=nonsense cwd=/ -- /bin/good", "-- //bin/../bin/./good",
])
def test_line_allowed(tree, kernel, line):
    start(tree, kernel, line).expect("ran\n", status=RAN)


@pytest.mark.parametrize("path", ["/bin/true", "musl"])
def test_truncated(kernel, tmp_path, path):
    """A program cut anywhere: refused, or, when only what no program needs is missing, started."""
    whole = program.tree_of("/bin/true")
    if path == "musl":
        path = os.path.join(qemu.BUILD, "test", "linux", "musl-static", "stat")
    with open(path, "rb") as file:
        content = file.read()
    cuts = [0, 1, 16, 63, 64, 65, 119, 120, 512, 4095, 4096, 4097, 8192, *(len(content) * n // 8 for n in range(1, 8))]
    for cut in cuts:
        part = tmp_path / f"cut-{cut}"
        part.write_bytes(content[:cut])
        part.chmod(0o755)
        whole.put(f"/test/cut-{cut}", str(part))
    for cut in cuts:
        result = program.run_tree(whole, [f"/test/cut-{cut}"], memory=64)
        assert "panic" not in result.output, result.describe()
        assert result.guest_status in (0, 126), result.describe()
        assert result.guest_status == 0 or "cannot be started: E" in result.output, result.describe()


def test_no_root(kernel):
    refused(qemu.boot(kernel, cpu="max", cmdline="-- /bin/good"), 125, "no root file system")


# Where the EROFS superblock lies (its fields: magic +0, blkszbits +12, root_nid +14, blocks +36, feature_incompat +80).
SUPER = 1024


def damage(content, offset, value):
    return content[:offset] + value + content[offset + len(value):]


CORRUPT = {
    "nothing": lambda c: b"x",
    "superblock-cut": lambda c: c[:1040],
    "zeros": lambda c: bytes(len(c)),
    "magic": lambda c: damage(c, SUPER, b"abcd"),
    "block-size": lambda c: damage(c, SUPER + 12, b"\xff"),
    "root-nid": lambda c: damage(c, SUPER + 14, b"\xff\xff"),
    "blocks": lambda c: damage(c, SUPER + 36, b"\xff\xff\xff\xff"),
    "features": lambda c: damage(c, SUPER + 80, b"\xff\xff\xff\xff"),
    "meta": lambda c: damage(c, SUPER + 40, b"\xff\xff\xff\xff"),
    "tail-cut": lambda c: c[:4096],
    "half": lambda c: c[:len(c) // 2],
}


@pytest.mark.parametrize("name", CORRUPT)
def test_corrupt_root(tree, kernel, tmp_path, name):
    """A root file system that is damaged is refused, or what is missing of it is."""
    with open(tree.image(), "rb") as file:
        content = CORRUPT[name](file.read())
    image = tmp_path / "root"
    image.write_bytes(content)
    result = qemu.boot(kernel, cpu="max", memory=64, cmdline="-- /bin/good", initrd=str(image), timeout=60)
    assert "panic" not in result.output, result.describe()
    assert result.guest_status in (125, 126, 127, RAN), result.describe()
    assert result.guest_status == RAN or "cannot be started: E" in result.output, result.describe()


def test_fifo(kernel, tmp_path):
    """A FIFO is not waited for."""
    os.makedirs(tmp_path / "root" / "dev")
    os.mkfifo(tmp_path / "root" / "fifo", 0o755)
    image = str(tmp_path / "image")
    subprocess.run(["mkfs.erofs", "-Enoinline_data", "--all-root", image, str(tmp_path / "root")], check=True,
                   capture_output=True)
    refused(qemu.boot(kernel, cpu="max", cmdline="-- /fifo", initrd=image), 126, "/fifo cannot be started: EACCES")
