"""Misused memory is noticed by the allocators (guest/fault-heap.c); memory that was not given back is named (guest/leak.c)."""

import re

import pytest

import qemu

# Kind, and what the panic must say (a regular expression): in every build, then in debug builds.
ALWAYS = [
    ("free-in-a-row", r"slab\.c:\d+: .*|slab .*: freed twice: "),
    ("free-pages-twice", r"page\.c:\d+: "),
    ("free-pages-within", r"kmalloc\.c:\d+: "),
    ("free-link-damaged", r"slab\.c:\d+: |slab .*: written to after it was freed"),
]
DEBUG = [
    ("overrun", r"slab .*: written to past its end: object .*, byte 50, length 50, last taken or freed by overrun"),
    ("use-after-free", r"slab .*: written to after it was freed: .* byte 20, .* last taken or freed by use_after_free"),
    ("free-inside", r"slab .*: freed at 0x[0-9a-f]+, which is inside of an object"),
    ("free-twice", r"slab .*: freed twice: .* last taken or freed by free_twice"),
]


@pytest.fixture
def debug_image(build, image):
    if build != "debug":
        pytest.skip("only debug builds check this")
    return image


def expect_panic(path, kind, reason):
    result = qemu.boot(path, smp=2, cmdline="-- " + kind)
    assert result.panicked and re.search("panic: " + reason, result.output), result.describe()


@pytest.mark.parametrize("kind, reason", ALWAYS, ids=[k[0] for k in ALWAYS])
def test_misuse(image, kind, reason):
    expect_panic(image("fault-heap"), kind, f"({reason})")


@pytest.mark.parametrize("kind, reason", DEBUG, ids=[k[0] for k in DEBUG])
def test_misuse_debug(debug_image, kind, reason):
    expect_panic(debug_image("fault-heap"), kind, reason)


def test_leak(debug_image):
    """Memory that main has not given back is named with who took it, and nothing else is."""
    result = qemu.boot(debug_image("leak"), cmdline="loglevel=6 -- forget")
    result.expect("done\n", "leak: 3 objects of slab kmalloc-128 taken by forgetful")
    assert result.output.count("leak: ") == 1, result.describe()


def test_no_leak(debug_image):
    assert "leak" not in qemu.boot(debug_image("leak"), cmdline="loglevel=6").expect("done\n").output
