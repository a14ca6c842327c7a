#!/usr/bin/python3
"""What system calls cost an unmodified program, in instructions: bench/programs/cost.c in a Drupe and in a Linux guest.
Run as a program it prints the whole table of doc/benchmarks.md: the Linux guest as Debian has it, the Linux guest that Drupe is
compared with, and Drupe alone and in every crowd."""

import functools
import re

import guests
import measure
import program
import qemu

# How large each crowd is made.
CROWDS = {"files": 10000, "threads": 1000, "mappings": 10000, "timers": 10000}
# Growth is what the crowd's last tenfold adds to a call, by what the tenfold before added: 1 for a logarithm, 3.2 for a square
# root, 10 for a line. Less than this many instructions count as this many.
GROWTH_BAR = 2
GROWTH_FLOOR = 100
# Those that the rows judge, and the most that each may cost whatever Linux does.
JUDGED = {"getppid": 90, "read_zero": None, "write_zero": None, "open_close": None, "stat": None, "epoll_wait": None,
          "pipe_round_trip": None, "futex_handoff": None, "map_touch_unmap_1M": None, "page_fault": None,
          "clock_gettime": None}
# Operations of more than one system call or fault.
CALLS = {"pipe_round_trip": 4, "futex_handoff": 2, "map_unmap_1M": 2, "map_touch_unmap_1M": 258, "timer_arm_disarm": 2,
         "open_close": 2}
COMMANDS = {"drupe": guests.drupe, "linux": guests.linux}


@functools.lru_cache
def costs(guest, flavour, crowd="alone", **options):
    """{operation: instructions}"""
    tree = program.tree_of(guests.built("cost", flavour), place="/test/cost")
    line = COMMANDS[guest](tree, ["/test/cost", crowd], extra=tuple(measure.COUNT_INSTRUCTIONS), **options)
    result = qemu.run(line, timeout=120)
    if "cost: done" not in result.output:
        raise RuntimeError(f"cost does not reach its end in the {guest} guest\n{result.describe()[-2000:]}")
    return {name: float(value) for name, value in re.findall(rf"^cost: {crowd} (\S+) ([0-9.]+)$", result.output, re.MULTILINE)}


def cost(name):
    return round(costs("drupe", "musl")[name], 1)


def bar(name):
    """What Linux needs, and a third of that for the call that does nothing."""
    most, theirs = JUDGED[name], costs("linux", "musl")[name]
    return round(theirs if most is None else min(most, theirs / 3), 1)


def glibc_ratio():
    """The worst of all operations in a program that is linked with glibc, as a part of what Linux needs."""
    ours, theirs = costs("drupe", "glibc"), costs("linux", "glibc")
    return round(max(ours[name] / theirs[name] for name in JUDGED), 2)


def growth(crowd):
    """Of the operation that suffers most from CROWD."""
    few, more, most = (costs("drupe", "musl", f"{crowd}={CROWDS[crowd] // part}") for part in (100, 10, 1))
    return round(max((most[name] - more[name]) / max(more[name] - few[name], GROWTH_FLOOR * CALLS.get(name, 1))
                     for name in few), 2)


BENCHMARKS = [
    *((f"cost_{name}", functools.partial(cost, name), "instructions", functools.partial(bar, name)) for name in JUDGED),
    ("cost_glibc_worst", glibc_ratio, "times Linux", 1),
    *((f"cost_growth_{crowd}", functools.partial(growth, crowd), "times tenfold before", GROWTH_BAR) for crowd in CROWDS),
]


def main():
    crowds = [f"{crowd}={n}" for crowd, n in CROWDS.items()]
    for flavour in ("musl", "glibc"):
        tables = {"Linux, stock": costs("linux", flavour, cmdline=""), "Linux": costs("linux", flavour),
                  "Drupe": costs("drupe", flavour), **{crowd: costs("drupe", flavour, crowd) for crowd in crowds}}
        print(f"\n| {flavour} | " + " | ".join(tables) + " |\n" + "|---" * (1 + len(tables)) + "|")
        for name in tables["Drupe"]:
            cells = [f"{table[name]:,.0f}" for table in tables.values()]
            print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
