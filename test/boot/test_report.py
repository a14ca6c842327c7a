"""What a program that is ended by a fault leaves on the console: signal, registers, mappings, callers; and its exit status."""

import os
import re

import pytest

import program
import qemu

STATUS = {"SIGSEGV": 139, "SIGILL": 132, "SIGTRAP": 133, "SIGABRT": 134}
# Kind of test/linux/crash.c, and what the first line says behind "ended by", a regular expression.
KINDS = {
    "stack": r"SIGSEGV \(11\), code 1, address 0x7ff[0-9a-f]+, error code 0x2",
    "thread-stack": r"SIGSEGV \(11\), code 2, address 0x7[0-9a-f]+, error code 0x2",
    "no-stack": r"SIGSEGV \(11\)",
    "null-call": r"SIGSEGV \(11\), code 1, address 0, error code 0x10",
    "data-call": r"SIGSEGV \(11\), code 2, address 0x[0-9a-f]+, error code 0x11",
    "code-write": r"SIGSEGV \(11\), code 2, address 0x[0-9a-f]+, error code 0x3",
    "kernel-read": r"SIGSEGV \(11\), code 1, address 0xffff888000100000",
    "kernel-call": r"SIGSEGV \(11\), code 1, address 0xffff888000100000, error code 0x10",
    "not-canonical": r"SIGSEGV \(11\), code 128, address 0",
    "stack-pointer": r"SIGSEGV \(11\), code 1, address 0xfffffffffffffff8",
    "stack-pointer-call": r"SIGILL \(4\), code 2",
    "bad-sigreturn": r"SIGSEGV \(11\)",
    "bad-selector": r"SIGSEGV \(11\)",
    "far-return": r"SIGSEGV \(11\)",
    "old-call": r"SIGSEGV \(11\)",
    "single-step": r"SIGTRAP \(5\), code 2",
    "not-aligned": r"SIGSEGV \(11\), code 128",
    "abort": r"SIGABRT \(6\) from 1",
}


def crash(flavour, kind, build, smp=1):
    path = os.path.join(qemu.BUILD, "test", "linux", flavour, "crash")
    return program.run_program(path, [kind], place="/test/crash", memory=64, smp=smp, build=build, timeout=60)


@pytest.mark.parametrize("flavour", ["glibc-dynamic", "musl-static"])
@pytest.mark.parametrize("kind", KINDS)
def test_report(kernel, build, kind, flavour):
    result = crash(flavour, kind, build, smp=2)
    assert "panic" not in result.output, result.describe()
    assert re.search(r"crash\[\d+\]: ended by " + KINDS[kind], result.output), result.describe()
    for pattern in (r"\bip [0-9a-f]{16} sp [0-9a-f]{16} flags [0-9a-f]{8}", r"\br13 [0-9a-f]{16} r14",
                    r"r-xp 00001000 /test/crash", r"rw-p 00000000 \[stack\]", r"r-xp 00000000 \[vdso\]", r"#0 [0-9a-f]{12}"):
        assert re.search(pattern, result.output), f"no {pattern}\n{result.describe()}"
    assert f"exit status {STATUS[KINDS[kind].split()[0]]}" in result.output, result.describe()
    assert result.output.count("ended by") == 1, result.describe()


def test_caller(kernel, build):
    """Where it was is told as a file and an offset in it."""
    result = crash("glibc-dynamic", "stack", build)
    assert re.search(r"#0 [0-9a-f]+ /test/crash\+0x1[0-9a-f]{3}\n", result.output), result.describe()


def test_other_stack(kernel, build):
    crash("musl-static", "other-stack", build).expect("handler: signal 11, code 1", status=5)
