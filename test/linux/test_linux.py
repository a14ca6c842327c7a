"""Linux is the oracle: each program of test/linux gives the same verdicts on this machine's own Linux and in a guest.

A verdict that is known to differ stands in expected-failures, one a line: PROGRAM, TEST, REASON, with tabs between. PROGRAM is
NAME or FLAVOUR/NAME; TEST is the name of a verdict, or * when the program does not reach its end. A line whose verdict does not
differ any more is an error."""

import collections
import glob
import os
import re

import pytest

import program
import qemu

HERE = os.path.dirname(os.path.abspath(__file__))
FOR_GUESTS = ["fuzz-syscalls", "exhaust", "crash"]
# CPUs of the guest by flavour: each test runs on one, two and four.
FLAVOURS = {"glibc-dynamic": 2, "glibc-static": 4, "musl-static": 1}
NAMES = sorted(name for name in (os.path.basename(path)[:-2] for path in glob.glob(HERE + "/*.c"))
               if name not in FOR_GUESTS)
# What glibc and the tests open while they run, which ldd does not name.
LIBRARIES = "/lib/x86_64-linux-gnu"
OPENED = {"glibc-dynamic": [LIBRARIES + "/libgcc_s.so.1", LIBRARIES + "/libm.so.6"]}
HOST_TIMEOUT = 60
GUEST_TIMEOUT = 120
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))


def binary(flavour, name):
    path = os.path.join(qemu.BUILD, "test", "linux", flavour, name)
    assert os.path.exists(path), f"{path} is not built: make linux-tests"
    return path


def verdicts(output):
    """(name, how many of that name came before) -> "ok", "not ok" or "skip"; and whether the plan stands at the end."""
    seen, found = collections.Counter(), {}
    for state, text in re.findall(r"^(ok|not ok) \d+ - (.*)$", output, re.MULTILINE):
        text, _, skip = text.partition(" # SKIP")
        found[text, seen[text]] = "skip" if skip else state
        seen[text] += 1
    plan = re.search(r"^1\.\.(\d+)$", output, re.MULTILINE)
    return found, bool(plan) and int(plan.group(1)) == len(found)


def expected_failures(flavour, name):
    """Names of verdicts that are known to differ -> reason."""
    expected = {}
    with open(os.path.join(HERE, "expected-failures"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                where, test, reason = line.rstrip("\n").split("\t")
                assert reason, f"expected-failures: {line!r} gives no reason"
                if where in (name, f"{flavour}/{name}"):
                    expected[test] = reason
    return expected


def differences(host, guest, complete):
    """Names of verdicts that the guest does not give as the host does. What the host cannot check may only not fail."""
    differ = {name for (name, nth), state in host.items() if state != "skip" and guest.get((name, nth)) != state}
    differ |= {name for (name, nth), state in guest.items() if state == "not ok" and host.get((name, nth)) != state}
    return differ if complete else differ | {"*"}


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("name", NAMES)
def test_host(name, flavour):
    result = program.run_host(binary(flavour, name), timeout=HOST_TIMEOUT)
    found, complete = verdicts(result.output)
    assert complete and "not ok" not in found.values() and result.status == 0, result.describe()


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("name", NAMES)
def test_guest(kernel, build, name, flavour):
    path = binary(flavour, name)
    host, _ = verdicts(program.run_host(path, timeout=HOST_TIMEOUT).output)
    result = program.run_program(path, files=OPENED.get(flavour, ()), place="/test/" + name, smp=FLAVOURS[flavour],
                                 build=build, timeout=GUEST_TIMEOUT)
    guest, complete = verdicts(result.output)
    complete = complete and result.guest_status == (1 if "not ok" in guest.values() else 0)
    differ, expected = differences(host, guest, complete), expected_failures(flavour, name)
    if "*" in expected and "*" in differ:
        return
    unknown, passing = sorted(differ - set(expected)), sorted(set(expected) - differ)
    assert not unknown, "differs from Linux: " + "; ".join(unknown) + "\n" + result.describe()
    assert not passing, "expected to differ, but does not: " + "; ".join(passing) + "\n" + result.describe()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fuzz(kernel, build, seed):
    """Random system calls: the guest stays up and the fuzzer reaches its summary."""
    result = program.run_program(binary("musl-static", "fuzz-syscalls"), [str(FUZZ_SECONDS), str(seed)],
                                 place="/test/fuzz", smp=2, build=build, timeout=60 + 10 * FUZZ_SECONDS)
    result.expect(f"fuzz-syscalls: seed {seed}, ")
