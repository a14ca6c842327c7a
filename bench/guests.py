"""The two guests that run the same unmodified program under the same QEMU: Drupe with an EROFS root file system, and Debian's
cloud kernel with the same tree as its initramfs."""

import fcntl
import functools
import glob
import os
import re
import stat
import subprocess
import tempfile

import measure
import program
import qemu

PROGRAMS = os.path.join(os.path.dirname(measure.SHIM), "programs")
FOLDER = os.path.join(os.path.dirname(measure.SHIM), "linux")
PACKAGE = "linux-image-cloud-amd64"

# A triple fault ends every machine, and no log is written during a measurement. What the counter's rate is Linux is told:
# where the host is busy it fails to find out, and then waits for ever.
LINUX_OPTIONS = "console=ttyS0 quiet reboot=t tsc_early_khz={khz}"
KHZ_COUNTING = 1000000  # with -icount shift=0
# QEMU counts each byte of `rep stosb` as an instruction, so Linux is told to clear memory by words as it does on CPUs without
# "enhanced rep movsb", and not to clear what it allocates for itself: otherwise its figures are up to twice as large.
LINUX_LEAN = "clearcpuid=erms init_on_alloc=0"


def drupe(tree, words, memory=512, **options):
    """The QEMU command line that runs WORDS, a program and its arguments, in a Drupe guest whose root file system is TREE."""
    return qemu.command(qemu.MICROVM, memory=memory, cpu="max", kernel=program.image_path(),
                        cmdline=" ".join(["--", *map(program.quote, words)]), initrd=tree.image(), **options)


def linux(tree, words, memory=512, cmdline=LINUX_LEAN, **options):
    """The same in a Linux guest, where bench/programs/init.c starts the program."""
    khz = KHZ_COUNTING if "-icount" in options.get("extra", ()) else host_khz()
    line = " ".join([LINUX_OPTIONS.format(khz=khz), cmdline, "--", *map(program.quote, words)])
    return qemu.command(qemu.MICROVM, memory=memory, cpu="max", kernel=linux_kernel(), cmdline=line,
                        initrd=initramfs(tree), **options)


@functools.lru_cache
def host_khz():
    """Without -icount QEMU's guests read the host's time-stamp counter, whose rate is near to what Linux says of its CPUs."""
    with open("/proc/cpuinfo", encoding="ascii") as info:
        found = re.search(r"^cpu MHz\s*: (\d+)\.(\d{3})", info.read(), re.MULTILINE)
    if not found:
        raise RuntimeError("/proc/cpuinfo does not say the rate of the CPU")
    return int(found.group(1) + found.group(2))


def built(name, flavour):
    """A program of bench/programs, static, with musl or glibc."""
    return os.path.join(PROGRAMS, f"{name}-{flavour}")


@functools.lru_cache
def linux_kernel():
    """Path of the kernel's bzImage, which is taken out of its package; nothing is installed."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = glob.glob(os.path.join(FOLDER, "boot", "vmlinuz-*"))
        if not found:
            fetch_kernel()
            found = glob.glob(os.path.join(FOLDER, "boot", "vmlinuz-*"))
    if not found:
        raise RuntimeError(f"{PACKAGE} holds no kernel")
    return found[0]


def fetch_kernel():
    """The package depends on the one that holds the newest kernel."""
    said = subprocess.run(["apt-cache", "depends", PACKAGE], capture_output=True, text=True, check=False).stdout
    package = re.search(r"Depends: (linux-image-\S+)", said)
    if not package:
        raise RuntimeError(f"apt-cache knows no {PACKAGE}: run `apt-get update` as root")
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        os.chmod(work, 0o777)  # for apt's own user, which downloads
        subprocess.run(["apt-get", "download", package.group(1)], cwd=work, check=True, capture_output=True)
        archive = glob.glob(os.path.join(work, "*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", archive, work], check=True)
        os.makedirs(os.path.join(FOLDER, "boot"), exist_ok=True)
        for kernel in glob.glob(os.path.join(work, "boot", "vmlinuz-*")):
            os.rename(kernel, os.path.join(FOLDER, "boot", os.path.basename(kernel)))


def initramfs(tree):
    """Path of TREE, and /init, as a cpio archive."""
    whole = program.Tree()
    whole.entries = dict(tree.entries)
    whole.put("/init", built("init", "musl"))
    path = os.path.join(FOLDER, whole.key() + ".cpio")
    if not os.path.exists(path):
        os.makedirs(FOLDER, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            whole.write(folder)
            with open(path + ".part", "wb") as archive:
                write_cpio(archive, folder)
        os.rename(path + ".part", path)
    return path


def write_cpio(archive, folder):
    """FOLDER in the "newc" format (Linux Documentation/driver-api/early-userspace/buffer-format.rst)."""
    paths = sorted(os.path.join(at, name) for at, folders, files in os.walk(folder) for name in folders + files)
    for number, path in enumerate(paths, 1):
        status = os.lstat(path)
        data = b""
        if stat.S_ISLNK(status.st_mode):
            data = os.readlink(path).encode()
        elif stat.S_ISREG(status.st_mode):
            with open(path, "rb") as file:
                data = file.read()
        write_cpio_entry(archive, os.path.relpath(path, folder), number, status.st_mode, data)
    write_cpio_entry(archive, "TRAILER!!!", 0, 0, b"")


def write_cpio_entry(archive, name, number, mode, data):
    """Owner and group 0, one link, no time, no device."""
    raw = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + raw
    archive.write(header + b"\0" * (-len(header) % 4) + data + b"\0" * (-len(data) % 4))
