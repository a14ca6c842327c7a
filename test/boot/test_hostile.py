"""What a loader tells the kernel may be wrong on purpose: the kernel boots on what is left, or panics and says why. It never
hangs, and never dies without a word (a triple fault ends QEMU with status 0 and neither line)."""

import pytest

import qemu
from test_hello import HELLO

def hello_or_panic(result):
    if result.guest_status == qemu.EXIT_PANIC:
        result.expect("panic: ", status=qemu.EXIT_PANIC)
    else:
        result.expect(HELLO)


BOTH = ["magic", "memory-count", "memory-none", "memory-wrap", "memory-overlap", "module-address", "cmdline-address",
        "cmdline-endless", "rsdp-address", "rsdp-junk"]
CASES = [("pvh", what) for what in BOTH + ["version", "memory-address", "module-count"]]
CASES += [("linux64", what) for what in BOTH + ["setup-data", "setup-data-loop"]]


@pytest.mark.parametrize("mode, what", CASES)
def test_loader_lies(image, mode, what):
    hello_or_panic(qemu.load(image("hello"), f"mode={mode} break={what}", timeout=20))


CMDLINES = {
    "empty values": "loglevel= console= =",
    "numbers too large": "loglevel=99999999999999999999999 loglevel=-1 loglevel=0x",
    "not text": "\x01\x02\x7f \xff\xfe %s%n%x",
    "long": "x" * 2000,
    "longer than it keeps": "loglevel=4 " + "y=z " * 2000,
    "quotes": "\"unclosed 'quote \\",
    "repeated": "loglevel=7 " * 200,
    "virtio-mmio that is none": "virtio_mmio.device=4K@0x0:999 virtio_mmio.device=512@0xffffffffffffffff:1 "
                                "virtio_mmio.device=@:: virtio_mmio.device=0@0:0",
}


@pytest.mark.parametrize("text", CMDLINES.values(), ids=CMDLINES.keys())
@pytest.mark.parametrize("machine", [qemu.MICROVM, qemu.Q35], ids=str)
def test_cmdline(image, machine, text):
    """QEMU itself writes over its start info when the command line is long; the kernel must see that."""
    hello_or_panic(qemu.boot(image("hello"), machine, cmdline=text))
