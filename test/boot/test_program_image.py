"""One bootable file that holds kernel, root file system and command line (scripts/run --image) starts its program on every
machine and by every boot protocol; so does a kernel with the root file system as a module."""

import os
import subprocess

import pytest

import program
import qemu

WORDS = ["/bin/echo", "two words", 'a "quote"', "back\\slash"]
SAYS = 'two words a "quote" back\\slash'
KERNEL = program.image_path()

pytestmark = pytest.mark.skipif(not os.path.exists(KERNEL), reason=f"{KERNEL} is not built")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("image") / "echo.img")
    done = subprocess.run([os.path.join(qemu.ROOT, "scripts", "run"), "--image", path, *WORDS], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def module():
    return program.tree_of(WORDS[0]).image()


CMDLINE = "-- " + " ".join(map(program.quote, WORDS))


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_whole(whole, machine):
    qemu.boot(whole, machine, cpu="max", timeout=60).expect(SAYS)


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_module(module, machine):
    qemu.boot(KERNEL, machine, cpu="max", timeout=60, initrd=module, cmdline=CMDLINE).expect(SAYS)


@pytest.mark.parametrize("options", ["mode=linux64", "mode=pvh rsdp=0"])
def test_whole_by_loader(whole, options):
    qemu.load(whole, options, cpu="max", memory=256, timeout=60).expect(SAYS)


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_whole_by_multiboot2(whole, firmware):
    qemu.boot_iso(whole, qemu.Q35, firmware, cpu="max").expect(SAYS)


def test_module_by_multiboot2(module):
    with open(module, "rb") as file:
        content = file.read()
    line = CMDLINE.replace("\\", "\\\\").replace('"', '\\"')
    qemu.boot_iso(KERNEL, qemu.Q35, "bios", cpu="max", cmdline=line, modules=(("root", content),)).expect("two words")


def test_command_line_wins(whole):
    """What the loader's command line names runs instead of the image's own."""
    qemu.boot(whole, cpu="max", cmdline="-- /bin/echo another", timeout=60).expect("another")
