"""Boots an image under QEMU and says what came out: the machines, the command lines, the run, and its TAP."""

import ctypes
import dataclasses
import fcntl
import hashlib
import os
import re
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
LOADER = os.path.join(BUILD, "test", "loader")
OVMF = "/usr/share/ovmf/OVMF.fd"
QEMU = "qemu-system-x86_64"

# abi/exit.h: a guest that ends with status S != 0 writes S to this device, and QEMU's own status is S << 1 | 1.
EXIT_DEVICE = ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
EXIT_PANIC = 127

# What KVM is given: all that the host's CPU has, but for a feature that nested KVM may refuse to set.
KVM_CPU = "host,-arch-capabilities"

# Past this QEMU is asked for memory that it does not reserve, so that a guest may be larger than the host.
RESERVE_LIMIT_MIB = 4096


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    option: str  # of -machine

    def __str__(self):
        return self.name


MICROVM = Machine("microvm", "microvm")
MICROVM_NOACPI = Machine("microvm-noacpi", "microvm,acpi=off")
PC = Machine("pc", "pc")
Q35 = Machine("q35", "q35")
MACHINES = [MICROVM, MICROVM_NOACPI, PC, Q35]

# Where each build leaves its images: the two of gcc, and clang's (make B=build/clang CC=clang).
IMAGES = {
    "release": os.path.join(BUILD, "images"),
    "debug": os.path.join(BUILD, "debug", "images"),
    "clang": os.path.join(BUILD, "clang", "images"),
}


def image_path(name, build="release"):
    return os.path.join(IMAGES[build], "boot-" + name)


@dataclasses.dataclass
class Result:
    command: list
    output: str  # the serial console, escape sequences and carriage returns removed
    errors: str  # QEMU's own standard error
    status: int  # QEMU's exit status; None when it ran out of time
    seconds: float

    @property
    def guest_status(self):
        """What main returned, or EXIT_PANIC; None when QEMU ended in another way."""
        if self.status is None or self.status < 0:
            return None
        return self.status >> 1 if self.status & 1 else 0

    @property
    def panicked(self):
        return self.guest_status == EXIT_PANIC

    def describe(self):
        ended = "ran out of time" if self.status is None else f"QEMU status {self.status}"
        return f"{' '.join(self.command)}\n{ended} after {self.seconds:.1f} s\n{self.errors}--- console ---\n{self.output}"

    def expect(self, *lines, status=0):
        """Each of LINES stands on the console, in this order, and the guest ended with STATUS."""
        assert self.guest_status == status, self.describe()
        at = 0
        for line in lines:
            found = self.output.find(line, at)
            assert found >= 0, f"no {line!r} in order on the console\n{self.describe()}"
            at = found + len(line)
        return self

    def tap(self):
        """Checks the TAP on the console: as many verdicts as planned, all good. Returns their texts."""
        verdicts = re.findall(r"^(ok|not ok) (\d+)(.*)$", self.output, re.MULTILINE)
        plan = re.search(r"^1\.\.(\d+)$", self.output, re.MULTILINE)
        assert plan, "no plan\n" + self.describe()
        assert not [v for v in verdicts if v[0] != "ok"], "failed checks\n" + self.describe()
        assert len(verdicts) == int(plan.group(1)), "verdicts and plan differ\n" + self.describe()
        assert self.guest_status == 0, self.describe()
        return [v[2].lstrip(" -") for v in verdicts]


def memory_options(mib, machine):
    if mib <= RESERVE_LIMIT_MIB:
        return ["-machine", machine.option, "-m", f"{mib}M"]
    return ["-object", f"memory-backend-ram,id=ram,size={mib}M,reserve=off",
            "-machine", machine.option + ",memory-backend=ram", "-m", f"{mib}M"]


def command(machine, memory=128, smp=1, cpu=None, kernel=None, cmdline="", initrd=None, accel="tcg", extra=()):
    """A QEMU command line: console on standard input and output, no other device than the machine's own."""
    line = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
            *EXIT_DEVICE, "-accel", accel, *memory_options(memory, machine), "-smp", str(smp)]
    if cpu:
        line += ["-cpu", cpu]
    if kernel:
        line += ["-kernel", kernel]
    if cmdline:
        line += ["-append", cmdline]
    if initrd:
        line += ["-initrd", initrd]
    return line + list(extra)


def clean(raw):
    """Console bytes as text, without what firmware sends to a terminal."""
    text = raw.decode("utf-8", "replace")
    text = re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1bc", "", text)
    return text.replace("\r", "")


def die_with_parent():
    """In the child: a guest that hangs must not outlive the tests (Linux prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def run(line, timeout=30, stdin=b""):
    """Runs a QEMU command line to its end, or until TIMEOUT seconds have passed."""
    began = time.monotonic()
    child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=die_with_parent)
    try:
        raw, errors = child.communicate(stdin, timeout=timeout)
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        raw, errors = child.communicate()
        status = None
    return Result(line, clean(raw), errors.decode("utf-8", "replace"), status, time.monotonic() - began)


def boot(kernel, machine=MICROVM, timeout=30, stdin=b"", **options):
    """Boots KERNEL by -kernel (PVH). Options are those of command()."""
    return run(command(machine, kernel=kernel, **options), timeout, stdin)


def load(image, options, cmdline="", **others):
    """Boots IMAGE through the tests' own loader (test/boot/loader): OPTIONS are its own, CMDLINE the image's."""
    return boot(LOADER, initrd=image, cmdline=f"{options} -- {cmdline}", **others)


GRUB_CONFIG = """set timeout=0
set default=0
menuentry test {{
  multiboot2 /boot/image {cmdline}
{modules}  boot
}}
"""


def make_iso(image, cmdline="", modules=()):
    """A CD image whose GRUB, for BIOS and for UEFI, boots IMAGE by multiboot2. MODULES: (text, bytes). Cached by content."""
    with open(image, "rb") as file:
        content = file.read()
    key = hashlib.sha256(repr((content, cmdline, modules)).encode()).hexdigest()[:16]
    folder = os.path.join(BUILD, "test", "iso")
    iso = os.path.join(folder, key + ".iso")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(iso):
            write_iso(iso, content, cmdline, modules)
    return iso


def write_iso(iso, content, cmdline, modules):
    with tempfile.TemporaryDirectory() as tree:
        grub = os.path.join(tree, "boot", "grub")
        os.makedirs(grub)
        lines = ""
        for number, (text, data) in enumerate(modules):
            lines += f"  module2 /boot/module{number} {text}\n"
            with open(os.path.join(tree, "boot", f"module{number}"), "wb") as file:
                file.write(data)
        path = os.path.join(tree, "boot", "image")
        with open(path, "wb") as file:
            file.write(content)
        # GRUB loads symbols too, and its driver for UEFI's discs fails at some large reads ("failure reading sector").
        subprocess.run(["strip", "--strip-debug", path], check=True)
        with open(os.path.join(grub, "grub.cfg"), "w", encoding="ascii") as file:
            file.write(GRUB_CONFIG.format(cmdline=cmdline, modules=lines))
        subprocess.run(["grub-mkrescue", "-o", iso + ".part", tree], check=True, capture_output=True)
        os.rename(iso + ".part", iso)


def boot_iso(image, machine=Q35, firmware="bios", cmdline="", modules=(), timeout=120, memory=256, **options):
    """Boots IMAGE by GRUB and multiboot2 from a CD, under SeaBIOS or (firmware="uefi") OVMF."""
    extra = ["-cdrom", make_iso(image, cmdline, modules), "-boot", "d"]
    if firmware == "uefi":
        extra += ["-bios", OVMF]
    return run(command(machine, memory=memory, extra=extra, **options), timeout)
