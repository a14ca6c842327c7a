"""One boot, measured from outside: guest instructions and wall time from reset to a line on the console."""

import os
import select
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "boot"))

import qemu  # noqa: E402

SHIM = os.path.join(qemu.BUILD, "bench", "insns.so")
COUNT_INSTRUCTIONS = ["-icount", "shift=0,sleep=off"]


def until_lines(command, marks, timeout=60):
    """For each of MARKS, texts that lines of COMMAND's console hold one after the other: (milliseconds since COMMAND was
    started, instructions, milliseconds of CPU time that QEMU used). Fewer when TIMEOUT seconds have passed, or COMMAND has
    ended, before the last."""
    reader, writer = os.pipe()
    environment = dict(os.environ, LD_PRELOAD=SHIM, DRUPE_MARK="\n".join(marks), DRUPE_MARK_FD=str(writer))
    if "-icount" in command:
        environment["DRUPE_ICOUNT"] = "1"
    began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    child = subprocess.Popen(command, env=environment, pass_fds=[writer], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=qemu.die_with_parent)
    os.close(writer)
    said = read_to_end(reader, time.monotonic() + timeout)
    child.kill()
    child.wait()
    rows = [line.split() for line in said.decode("ascii").splitlines()]
    return [((int(row[0]) - began) / 1e6, int(row[1]), int(row[2]) / 1e6) for row in rows]


def read_to_end(reader, deadline):
    """What comes from the pipe until its other end is closed or time is up."""
    said = b""
    while select.select([reader], [], [], max(0, deadline - time.monotonic()))[0]:
        part = os.read(reader, 4096)
        if not part:
            break
        said += part
    os.close(reader)
    return said


def until_line(command, line, timeout=60):
    """(milliseconds, instructions, CPU milliseconds) from the start of COMMAND until LINE stood on its console, or None."""
    return (until_lines(command, [line], timeout) or [None])[0]


def instructions(kernel, line, **options):
    """Guest instructions from reset, firmware included, until LINE."""
    extra = [*options.pop("extra", ()), *COUNT_INSTRUCTIONS]
    got = until_line(qemu.command(options.pop("machine", qemu.MICROVM), kernel=kernel, extra=extra, **options), line)
    if not got or got[1] < 0:
        raise RuntimeError(f"{kernel} did not print {line!r}, or QEMU does not count instructions")
    return got[1]


def wall_ratio(kernel, line, other, other_line, pairs):
    """Median over PAIRS alternating runs of KERNEL's wall time by OTHER's, on the same command line but for the kernel."""
    ratios = []
    for _ in range(pairs):
        times = [until_line(qemu.command(qemu.MICROVM, kernel=path), text)
                 for path, text in ((kernel, line), (other, other_line))]
        if None in times:
            raise RuntimeError("a run did not reach its line")
        ratios.append(times[0][0] / times[1][0])
    return sorted(ratios)[len(ratios) // 2]
