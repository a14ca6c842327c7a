"""`make install` leaves all that an image is linked from: hello is built from the installed files alone, and boots."""

import os
import subprocess

import qemu
from test_hello import HELLO

COMPILE = ["-std=gnu17", "-O2", "-ffreestanding", "-fPIE", "-fvisibility=hidden", "-mgeneral-regs-only", "-mno-red-zone",
           "-fcf-protection=none", "-mstack-protector-guard=global"]
LINK = ["-m", "elf_x86_64", "-pie", "--no-dynamic-linker", "-z", "pack-relative-relocs", "-z", "max-page-size=64",
        "-z", "noexecstack", "--gc-sections", "--build-id=none"]


def test_link_from_installed_files(tmp_path):
    subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"], cwd=qemu.ROOT, check=True)
    lib, include = tmp_path / "usr/lib/drupe", tmp_path / "usr/include/drupe"
    assert os.access(tmp_path / "usr/bin/drupe-symtab", os.X_OK)
    roots = (line.split("#")[0].split() for line in (lib / "platforms/qemu").read_text().splitlines())
    named = [word for symbols in roots for symbol in symbols for word in ("-u", symbol)]
    source = os.path.join(qemu.ROOT, "examples", "hello.c")
    subprocess.run(["gcc", *COMPILE, f"-I{include}", "-c", source, "-o", "hello.o"], cwd=tmp_path, check=True)
    subprocess.run(["ld", *LINK, "-T", lib / "image.ld", *named, "-o", "hello", "hello.o", lib / "libkernel.a"],
                   cwd=tmp_path, check=True)
    qemu.boot(str(tmp_path / "hello")).expect(HELLO)
