"""Whole programs, unmodified: how soon a hello says so, and whole runs as a ratio to the same run in a Linux guest."""

import functools
import os
import statistics

import guests
import measure
import program
import qemu

HELLO_LINE = "hello from a program"
PAIRS = 5
SPINS = 8  # runs on each number of CPUs, of which the fastest counts: the host has other work

# What nothing here imports is left out of Python's library.
PYTHON_UNUSED = r"/python3[^/]*/(config-[^/]*|distutils|ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo)(/|$)"
PYTHON_SCRIPT = b"""print("python: begins", flush=True)
import argparse, collections, json, os, re, threading
print("python: ends", json.dumps({"pid": os.getpid() > 0}), flush=True)
"""
SQL_ROWS = 20000


def sql_script():
    """Rows one statement each, as a dump of a database has them; then an index, and what proves that they are there."""
    rows = "".join(f"INSERT INTO t VALUES({i},'row {i * 7919 % SQL_ROWS}',{i * 31 % 1000}.5);\n" for i in range(SQL_ROWS))
    return ("SELECT 'sqlite: begins';\nCREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, price REAL);\nBEGIN;\n" + rows +
            "COMMIT;\nCREATE INDEX by_name ON t(name);\nSELECT 'sqlite: ends', count(*), sum(price) FROM t;\n").encode()


# ---- From reset to a line ----

@functools.lru_cache
def hello_image(flavour):
    """One bootable file: kernel, root file system, command line."""
    image = os.path.join(qemu.BUILD, "bench", f"hello-{flavour}.img")
    program.link(program.tree_of(guests.built("hello", flavour), place="/test/hello"), "-- /test/hello", image)
    return image


def hello(flavour):
    return measure.instructions(hello_image(flavour), HELLO_LINE, cpu="max")


def hello_linux():
    tree = program.tree_of(guests.built("hello", "musl"), place="/test/hello")
    line = guests.linux(tree, ["/test/hello"], cmdline="", extra=measure.COUNT_INSTRUCTIONS)
    return at_line(measure.until_lines(line, [HELLO_LINE]), line).instructions


def hello_memory():
    """The least whole number of MiB with which it runs to its end."""
    for mib in range(1, 65):
        result = qemu.boot(hello_image("musl"), memory=mib, cpu="max", timeout=10)
        if HELLO_LINE in result.output and result.status == 0:
            return mib
    raise RuntimeError("hello does not run with 64 MiB")


def at_line(marks, line, n=1):
    if len(marks) != n:
        raise RuntimeError(f"only {len(marks)} of {n} lines were seen on the console of\n{' '.join(line)}")
    return marks[-1]


# ---- Whole runs: from a program's start to its end, the boot of neither guest included ----

@functools.lru_cache
def sqlite_tree():
    tree = program.tree_of("/usr/bin/sqlite3")
    tree.put("/test/bulk.sql", sql_script())
    return tree


@functools.lru_cache
def python_tree():
    tree = program.Tree()
    tree.add("/usr/bin/python3")
    tree.add("/usr/lib/" + os.path.basename(os.path.realpath("/usr/bin/python3")))
    tree.drop(PYTHON_UNUSED)
    tree.entries = {path: source for path, source in tree.entries.items()
                    if not (isinstance(source, str) and not os.path.exists(source))}
    tree.put("/test/startup.py", PYTHON_SCRIPT)
    tree.put("/test/hello", guests.built("hello", "musl"))
    tree.add_libraries()
    return tree


def between(guest, tree, words, begin, end, extra=()):
    """What passes between two lines of a run."""
    line = guest(tree, words, extra=extra)
    marks = measure.until_lines(line, [begin, end], timeout=120)
    at_line(marks, line, 2)
    return measure.part(*marks)


def sqlite(guest, extra=()):
    words = ["/usr/bin/sqlite3", "-batch", "-bail", "-init", "/test/bulk.sql", "/tmp/bulk.db", ".exit"]
    return between(guest, sqlite_tree(), words, "sqlite: begins", "sqlite: ends", extra)


def python(guest, extra=()):
    """From before the interpreter is loaded. In the Linux guest init says when that is; in ours it is when a hello, in the same
    root file system, has said its line."""
    words = ["/usr/bin/python3", "/test/startup.py"]
    if guest is guests.linux:
        return between(guest, python_tree(), words, "init: starts", "python: ends", extra)
    lines = [guest(python_tree(), what, extra=extra) for what in (["/test/hello"], words)]
    begin, end = (at_line(measure.until_lines(line, [text], timeout=120), line)
                  for line, text in zip(lines, (HELLO_LINE, "python: ends")))
    return measure.part(begin, end)


@functools.lru_cache
def pair_ratios(run):
    """PAIRS alternating runs in Drupe and in Linux: the medians of the pairs' ratios in wall time and in CPU time."""
    pairs = [(run(guests.drupe), run(guests.linux)) for _ in range(PAIRS)]
    return {what: round(statistics.median(getattr(ours, what) / getattr(theirs, what) for ours, theirs in pairs), 3)
            for what in ("wall", "cpu")}


def instruction_ratio(run):
    counted = [run(guest, tuple(measure.COUNT_INSTRUCTIONS)).instructions for guest in (guests.drupe, guests.linux)]
    return round(counted[0] / counted[1], 3)


@functools.lru_cache
def threads():
    """Two threads on two CPUs by the same on one: the fastest run's wall time, the busiest CPU's time where it was least."""
    tree = program.tree_of(guests.built("spin", "musl"), place="/test/spin")
    times = {1: [], 2: []}
    for _ in range(SPINS):
        for cpus, found in times.items():
            line = guests.drupe(tree, ["/test/spin", "2"], smp=cpus, accel="tcg,thread=multi")
            marks = measure.until_lines(line, ["spin: begins", "spin: done"])
            at_line(marks, line, 2)
            found.append(measure.part(*marks))
    return {what: round(min(getattr(run, what) for run in times[2]) / min(getattr(run, what) for run in times[1]), 2)
            for what in ("wall", "cpu")}


BENCHMARKS = [
    ("program_hello_musl", lambda: hello("musl"), "instructions", 150000),
    ("program_hello_glibc", lambda: hello("glibc"), "instructions", 300000),
    ("program_hello_linux_guest", hello_linux, "instructions", None),
    ("program_least_memory", hello_memory, "MiB", 3),
    ("program_sqlite_wall", lambda: pair_ratios(sqlite)["wall"], "times Linux", 1),
    ("program_sqlite_cpu_time", lambda: pair_ratios(sqlite)["cpu"], "times Linux", None),
    ("program_sqlite_instructions", lambda: instruction_ratio(sqlite), "times Linux", None),
    ("program_python_wall", lambda: pair_ratios(python)["wall"], "times Linux", 1),
    ("program_python_cpu_time", lambda: pair_ratios(python)["cpu"], "times Linux", None),
    ("program_python_instructions", lambda: instruction_ratio(python), "times Linux", None),
    ("program_threads_wall", lambda: threads()["wall"], "times one CPU", 0.6),
    ("program_threads_cpu_time", lambda: threads()["cpu"], "times one CPU", None),
]
