"""One boot, measured from outside: guest instructions and wall time from reset to a line on the console."""

import collections
import os
import select
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "boot"))

import qemu  # noqa: E402

SHIM = os.path.join(qemu.BUILD, "bench", "insns.so")
# Of a moment in a run: milliseconds since QEMU was started, instructions, milliseconds of CPU time of each thread of QEMU. Of a
# part of a run the last is the busiest thread's time, which is that of the guest's busiest CPU.
Moment = collections.namedtuple("Moment", "wall instructions cpu")
COUNT_INSTRUCTIONS = ["-icount", "shift=0,sleep=off"]


def until_lines(command, marks, timeout=60):
    """A Moment for each of MARKS, texts that lines of COMMAND's console hold one after the other. Fewer when TIMEOUT seconds
    have passed, or COMMAND has ended, before the last."""
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
    return [moment_of(line, began) for line in said.decode("ascii").splitlines()]


def moment_of(line, began):
    """What bench/insns.c says in a line."""
    now, count, *threads = map(int, line.split())
    return Moment((now - began) / 1e6, count, [spent / 1e6 for spent in threads])


def part(begin, end):
    """What passed from one moment to another, of one run or of two in which QEMU started its threads in the same order."""
    before = begin.cpu + [0] * len(end.cpu)
    return Moment(end.wall - begin.wall, end.instructions - begin.instructions,
                  max(spent - already for spent, already in zip(end.cpu, before)))


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
    """The Moment when LINE stood on COMMAND's console, or None."""
    return (until_lines(command, [line], timeout) or [None])[0]


def instructions(kernel, line, **options):
    """Guest instructions from reset, firmware included, until LINE."""
    extra = [*options.pop("extra", ()), *COUNT_INSTRUCTIONS]
    got = until_line(qemu.command(options.pop("machine", qemu.MICROVM), kernel=kernel, extra=extra, **options), line)
    if not got or got.instructions < 0:
        raise RuntimeError(f"{kernel} did not print {line!r}, or QEMU does not count instructions")
    return got.instructions


def wall_ratio(kernel, line, other, other_line, pairs):
    """Median over PAIRS alternating runs of KERNEL's wall time by OTHER's, on the same command line but for the kernel."""
    ratios = []
    for _ in range(pairs):
        times = [until_line(qemu.command(qemu.MICROVM, kernel=path), text)
                 for path, text in ((kernel, line), (other, other_line))]
        if None in times:
            raise RuntimeError("a run did not reach its line")
        ratios.append(times[0].wall / times[1].wall)
    return sorted(ratios)[len(ratios) // 2]
