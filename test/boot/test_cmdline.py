"""The command line does what it says."""

import qemu
from test_hello import HELLO


def test_quiet(image):
    """Without a word on the command line the console holds what the program prints, and nothing else."""
    assert qemu.boot(image("hello")).expect(HELLO).output == HELLO + "\n"


def test_loglevel(image):
    """loglevel=7 shows the log of the boot before the program's own line."""
    qemu.boot(image("hello"), cmdline="loglevel=7").expect("boot: by pvh", 'command line "loglevel=7"', HELLO)


def test_loglevel_last_counts(image):
    assert qemu.boot(image("hello"), cmdline="loglevel=7 loglevel=4").expect(HELLO).output == HELLO + "\n"
