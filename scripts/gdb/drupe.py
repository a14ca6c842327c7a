"""gdb for a running guest. The kernel chooses a random place for itself at every boot; this finds it.

    scripts/boot build/images/boot-hello "" -s -S &         QEMU waits for gdb on port 1234
    gdb -x scripts/gdb/drupe.py build/images/boot-hello
    (gdb) target remote :1234
    (gdb) drupe-go main          runs until main, symbols in place
    (gdb) drupe                  only moves the symbols to where the kernel is, for a guest that is up already
"""

import struct

import gdb

# The last function that runs at the link address; the layout is decided by then (kernel/arch/x86_64/start.S).
LAST_BEFORE_THE_MOVE = "early_switch"


def image_path():
    path = gdb.current_progspace().filename
    if not path:
        raise gdb.GdbError("no image: start gdb with one, or use `file IMAGE`")
    return path


def place_symbols(slide):
    gdb.execute(f"symbol-file -o {slide:#x} {image_path()}", to_string=True)


def read_physical(address, length):
    """Reads while QEMU's gdb stub takes addresses as physical ones (QEMU docs/system/gdb.rst)."""
    gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
    try:
        return gdb.selected_inferior().read_memory(address, length).tobytes()
    finally:
        gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)
        gdb.execute("maintenance flush dcache", to_string=True)


def find_slide():
    """0 when the kernel has not chosen yet. The image stays at the physical addresses that it is linked at."""
    place_symbols(0)
    address = int(gdb.parse_and_eval("(unsigned long)&arch_layout"))
    field = next(f for f in gdb.lookup_type("struct arch_layout").fields() if f.name == "slide")
    return struct.unpack("<Q", read_physical(address + field.bitpos // 8, 8))[0]


class Symbols(gdb.Command):
    """Moves the image's symbols to where the running kernel is."""

    def __init__(self):
        super().__init__("drupe", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        slide = find_slide()
        if not slide:
            raise gdb.GdbError("the kernel has not chosen its place yet: use `drupe-go main`")
        place_symbols(slide)
        print(f"slide {slide:#x}")


class Go(gdb.Command):
    """drupe-go SYMBOL: runs from anywhere in the boot until SYMBOL, with the symbols moved to where the kernel is."""

    def __init__(self):
        super().__init__("drupe-go", gdb.COMMAND_RUNNING, gdb.COMPLETE_SYMBOL)

    def invoke(self, argument, from_tty):
        if not find_slide():
            gdb.execute(f"thbreak *{LAST_BEFORE_THE_MOVE}")
            gdb.execute("continue")
        gdb.execute("drupe")
        gdb.execute(f"thbreak {argument}")
        gdb.execute("continue")


Symbols()
Go()
