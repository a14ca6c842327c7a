"""Every test image: guest/NAME.c prints TAP, on one CPU and on four. guest/fault-*.c is test_fault.py's."""

import glob
import os

import pytest

import qemu

GUEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest")
# Images that are no tests: they say other things on the console.
NOT_TAP = {"hello", "console-echo", "leak"}
NAMES = sorted(name for name in (os.path.basename(path)[:-2] for path in glob.glob(GUEST + "/*.c"))
               if not name.startswith("fault-") and name not in NOT_TAP)


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_guest(image, name, smp):
    qemu.boot(image(name), smp=smp, timeout=60).tap()
