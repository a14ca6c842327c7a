"""Real, unmodified Debian programs as guests: each says the same and ends with the same status as on this machine.

A guest has one process, so each test is one program with what it does by itself: shells run builtins only, and what a
compressor writes is known by the size that it reports, or checked by its own test of checksums.

A program that is known not to pass yet stands in expected-failures, one a line: NAME, a tab, the reason."""

import dataclasses
import fcntl
import hashlib
import os
import shutil
import subprocess

import pytest

import program
import qemu

HERE = os.path.dirname(os.path.abspath(__file__))
MADE = os.path.join(qemu.BUILD, "test", "programs")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/root"}
CC1 = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1"
PYTHON_LIBRARY = "/usr/lib/python3.11"
SAMPLE_SIZE = 50 << 20


def here(name):
    return os.path.join(HERE, name)


@dataclasses.dataclass
class Case:
    name: str
    words: list  # the program and its arguments, the same on both sides
    files: tuple = ()  # what the guest needs beside program and libraries, at the same path
    timeout: int = 60  # seconds in the guest
    memory: int = 256
    smp: int = 1
    drop: str = ""  # what of the files is left out
    make: object = None  # called first: makes inputs, or skips

    def __str__(self):
        return self.name


def sample():
    """50 MiB of lines that compress to about half; the same on each run."""
    path = os.path.join(MADE, "sample")
    if os.path.exists(path):
        return
    os.makedirs(MADE, exist_ok=True)
    part = f"{path}.{os.getpid()}"
    with open(part, "wb") as file:
        size = number = 0
        while size < SAMPLE_SIZE:
            block = "".join(f"{n} {hashlib.md5(str(n).encode()).hexdigest()} same in each line\n"
                            for n in range(number, number + 10000)).encode()[:SAMPLE_SIZE - size]
            file.write(block)
            size += len(block)
            number += 10000
    os.rename(part, path)


def compressed(command, suffix):
    """The sample as COMMAND compresses it, beside it."""
    def make():
        sample()
        path = os.path.join(MADE, "sample" + suffix)
        if not os.path.exists(path):
            part = f"{path}.{os.getpid()}"
            with open(part, "wb") as file:
                subprocess.run([*command, "-c", os.path.join(MADE, "sample")], stdout=file, check=True)
            os.rename(part, path)
    return make


def built(tool, command, name):
    """Builds NAME in build/test/programs by COMMAND; skipped where TOOL is not installed."""
    def make():
        path = shutil.which(tool)
        if not path:
            pytest.skip(f"{tool} is not installed")
        os.makedirs(MADE, exist_ok=True)
        environment = dict(os.environ, GOCACHE=os.path.join(MADE, "go-cache"), CGO_ENABLED="0", GO111MODULE="off")
        said = subprocess.run([path, *command], cwd=MADE, env=environment, capture_output=True, text=True, check=False)
        if said.returncode:
            pytest.skip(f"{tool} does not build {name}: {(said.stderr.strip() or said.stdout.strip())[:200]}")
    return make


def java_home():
    path = shutil.which("java")
    return os.path.dirname(os.path.dirname(os.path.realpath(path))) if path else "/nowhere"


SAMPLE = os.path.join(MADE, "sample")
CLASSES = os.path.join(MADE, "java")
JAVA = os.path.join(java_home(), "bin", "java")
PYTHON = {"files": (PYTHON_LIBRARY,), "memory": 512, "smp": 2, "timeout": 240,
          "drop": r"/python3\.11/(.*/)?(test|tests|idlelib|lib2to3|config-3\.11-[^/]+)/"}
JVM = {"files": (java_home(), CLASSES), "drop": r"/(jmods|src\.zip)", "memory": 1024, "smp": 2, "timeout": 240}
TEXTS = (here("many-checks.py"), here("rows.sql"))

CASES = [
    Case("echo", ["/bin/echo", "-e", "one\\ttwo", "three four"]),
    Case("cat", ["/bin/cat", *TEXTS], TEXTS),
    Case("ls", ["/bin/ls", "-lan", "--time-style=+", "/bin/ls", *TEXTS], TEXTS),
    Case("sort", ["/usr/bin/sort", "-r", "-k2", *TEXTS], TEXTS),
    Case("sha256sum", ["/usr/bin/sha256sum", SAMPLE], (SAMPLE,), make=sample, timeout=120),
    Case("head", ["/usr/bin/head", "-n", "100", SAMPLE], (SAMPLE,), make=sample),
    Case("tail", ["/usr/bin/tail", "-n", "100", SAMPLE], (SAMPLE,), make=sample),
    Case("wc", ["/usr/bin/wc", SAMPLE, *TEXTS], (SAMPLE, *TEXTS), make=sample, timeout=120),
    Case("seq", ["/usr/bin/seq", "-f", "%08.3f", "1", "0.5", "2000"]),
    Case("cp", ["/bin/cp", "-v", here("rows.sql"), "/tmp/oracle-copy"], TEXTS),
    Case("cat-error", ["/bin/cat", "/none"]),
    Case("false", ["/bin/false"]),
    Case("bash", ["/bin/bash", here("shell.sh")], (here("shell.sh"),)),
    Case("sqlite3", ["/usr/bin/sqlite3", "/tmp/oracle-base", ".read " + here("rows.sql")], TEXTS, timeout=240),
    Case("sqlite3-memory", ["/usr/bin/sqlite3", ":memory:", ".read " + here("rows.sql")], TEXTS, timeout=240),
    Case("lua", ["/usr/bin/lua5.4", here("checks.lua")], (here("checks.lua"),)),
    Case("python-version", ["/usr/bin/python3", "-V"], **PYTHON),
    Case("python-checks", ["/usr/bin/python3", here("many-checks.py")],
         **{**PYTHON, "files": (PYTHON_LIBRARY, here("many-checks.py"))}),
    Case("python-modules", ["/usr/bin/python3", here("modules.py")],
         **{**PYTHON, "files": (PYTHON_LIBRARY, here("modules.py"))}),
    Case("perl", ["/usr/bin/perl", here("checks.pl")], (here("checks.pl"), "/usr/lib/x86_64-linux-gnu/perl-base")),
    Case("gzip", ["/bin/gzip", "-1kvf", SAMPLE], (SAMPLE,), make=sample, memory=512, timeout=180),
    Case("gzip-test", ["/bin/gzip", "-tv", SAMPLE + ".1.gz"], (SAMPLE + ".1.gz",), make=compressed(["gzip", "-1"], ".1.gz"),
         timeout=180),
    Case("xz-test", ["/usr/bin/xz", "-t", SAMPLE + ".0.xz"], (SAMPLE + ".0.xz",), make=compressed(["xz", "-0"], ".0.xz"),
         timeout=240),
    Case("xz", ["/usr/bin/xz", "-0kf", SAMPLE], (SAMPLE,), make=sample, memory=512, timeout=400),
    Case("zstd", ["/usr/bin/zstd", "-1f", "--no-progress", SAMPLE, "-o", "/tmp/oracle.zst"], (SAMPLE,), make=sample,
         memory=512, smp=2, timeout=180),
    Case("zstd-test", ["/usr/bin/zstd", "-t", "--no-progress", SAMPLE + ".1.zst"], (SAMPLE + ".1.zst",),
         make=compressed(["zstd", "-q", "-1"], ".1.zst"), timeout=180),
    Case("cc1", [CC1, "-quiet", "-O2", here("compiled.c"), "-o", "-"], (here("compiled.c"), "/usr/include/stdc-predef.h"),
         timeout=120),
    Case("node-version", ["/usr/bin/node", "--version"], memory=1024, smp=2, timeout=180),
    Case("node", ["/usr/bin/node", here("checks.js")], (here("checks.js"),), memory=1024, smp=2, timeout=240),
    Case("go", [os.path.join(MADE, "checks-go")], memory=512, smp=2, timeout=120,
         make=built("go", ["build", "-o", "checks-go", here("checks.go")], "checks-go")),
    Case("rust", [os.path.join(MADE, "checks-rust")], smp=2,
         make=built("rustc", ["-O", "-C", "target-feature=+crt-static", "-o", "checks-rust", here("checks.rs")],
                    "checks-rust")),
    Case("java-version", [JAVA, "-version"], **JVM),
    Case("java", [JAVA, "-Xshare:auto", "-cp", CLASSES, "HelloWorld"],
         make=built("javac", ["-d", CLASSES, here("HelloWorld.java")], "HelloWorld"), **JVM),
]


def expected_failures():
    with open(here("expected-failures"), encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#"))


def on_host(case):
    """What CASE says here; skipped where its program is not installed."""
    os.makedirs(MADE, exist_ok=True)
    # Some leave files where the case says; the test runner may have a worker for each CPU.
    with open(os.path.join(MADE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if case.make:
            case.make()
        if not os.path.exists(case.words[0]):
            pytest.skip(f"{case.words[0]} is not installed")
        for left in ("/tmp/oracle-base", "/tmp/oracle-copy", "/tmp/oracle.zst"):
            if os.path.exists(left):
                os.remove(left)
        return program.run_host(case.words[0], case.words[1:], timeout=case.timeout, env=ENVIRONMENT)


def in_guest(case, build):
    tree = program.tree_of(case.words[0], case.files)
    tree.keeps_times = True
    if case.drop:
        tree.drop(case.drop)
    return program.run_tree(tree, case.words, smp=case.smp, memory=case.memory, timeout=case.timeout, build=build)


def missing(host, guest):
    """The first line of the host's that the guest does not print, in order; None when all are there."""
    said = iter(guest.output.splitlines())
    return next((line for line in host.output.splitlines() if line not in said), None)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_host(case):
    """The case itself is sound: here it comes to its own end."""
    result = on_host(case)
    assert result.status is not None and 0 <= result.status < 20, result.describe()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_program(kernel, build, case):
    host = on_host(case)
    guest = in_guest(case, build)
    line = missing(host, guest)
    passed = line is None and guest.guest_status == host.status
    if case.name in expected_failures():
        assert not passed, f"{case.name} is expected to fail, but does not"
        pytest.xfail(expected_failures()[case.name])
    assert guest.guest_status == host.status, f"status {guest.guest_status}, not {host.status}\n" + guest.describe()
    assert line is None, f"no line {line!r} in order\n" + guest.describe()
