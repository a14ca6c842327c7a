#!/usr/bin/python3
"""The benchmarks with their bars: prints a table, writes build/bench.tsv, and fails when a bar is missed.
With names on the command line only those run, and build/bench.tsv is left alone."""

import os
import re
import subprocess
import sys
import tempfile

import measure
import costs
import apps
import qemu

HELLO = qemu.image_path("hello")
SWITCH = qemu.image_path("switch-cost")
FLOOR = os.path.join(qemu.BUILD, "bench", "floor")
LINE = "hello from main"
PAIRS = 101  # enough that the median repeats to about 0.01 where others use the machine too
# A machine that counts instructions has no jitter, so whatever needs random numbers there needs a CPU that makes them.
RDRAND = "qemu64,+rdrand"


def boot_insns(**options):
    return measure.instructions(HELLO, LINE, **options)


def memory_growth():
    small, large = boot_insns(memory=64), boot_insns(memory=16384)
    return round(100 * (large - small) / small, 2)


def image_size():
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, HELLO], check=True)
        return os.path.getsize(stripped.name)


def least_memory():
    """The least whole number of MiB with which the image boots on microvm."""
    for mib in range(1, 65):
        if qemu.boot(HELLO, memory=mib, timeout=10).output.startswith(LINE):
            return mib
    raise RuntimeError("boot-hello does not boot with 64 MiB")


def switch_cost():
    line = qemu.command(qemu.MICROVM, kernel=SWITCH, cpu=RDRAND, extra=measure.COUNT_INSTRUCTIONS)
    said = re.search(r"^switch: (\d+) instructions", qemu.run(line, timeout=60).output, re.MULTILINE)
    if not said:
        raise RuntimeError("boot-switch-cost did not print its line")
    return int(said.group(1))


def wall():
    return round(measure.wall_ratio(HELLO, LINE, FLOOR, "floor", PAIRS), 3)


# Name, how it is measured, unit, the most that it may be (None: told, not judged; a function where that is measured too).
BENCHMARKS = [
    ("firmware_floor", lambda: measure.instructions(FLOOR, "floor"), "instructions", None),
    ("boot_hello", boot_insns, "instructions", 65000),
    ("boot_hello_noacpi", lambda: boot_insns(machine=qemu.MICROVM_NOACPI), "instructions", 65000),
    ("boot_hello_cpu_max", lambda: boot_insns(cpu="max"), "instructions", 65000),
    ("boot_hello_growth_64M_16G", memory_growth, "percent", 5),
    ("boot_hello_smp4", lambda: boot_insns(smp=4, cpu=RDRAND), "instructions", 150000),
    ("boot_hello_wall_ratio", wall, "times floor", 1.15),
    ("image_size_stripped", image_size, "bytes", 98304),
    ("least_memory", least_memory, "MiB", 2),
    ("thread_switch", switch_cost, "instructions", 300),
    *costs.BENCHMARKS,
    *apps.BENCHMARKS,
]


def main():
    wanted = sys.argv[1:]
    unknown = set(wanted) - {row[0] for row in BENCHMARKS}
    if unknown:
        sys.exit("bench: no such benchmark: " + " ".join(sorted(unknown)))
    rows = []
    for name, how, unit, bar in BENCHMARKS:
        if wanted and name not in wanted:
            continue
        try:
            value = how()
            bar = bar() if callable(bar) else bar
            verdict = "-" if bar is None else "ok" if value <= bar else "MISSED"
        except (RuntimeError, OSError, subprocess.SubprocessError) as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            value, verdict, bar = "none", "MISSED", None if callable(bar) else bar
        rows.append((name, str(value), unit, "-" if bar is None else f"<= {bar}", verdict))
        print("%-28s %12s %-20s %-12s %s" % rows[-1], flush=True)
    if not wanted:
        with open(os.path.join(qemu.BUILD, "bench.tsv"), "w", encoding="ascii") as table:
            for row in [("name", "value", "unit", "bar", "verdict"), *rows]:
                table.write("\t".join(row) + "\n")
    missed = [row[0] for row in rows if row[4] == "MISSED"]
    print("bench: " + (f"{len(missed)} bars missed: {' '.join(missed)}" if missed else "every bar met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
