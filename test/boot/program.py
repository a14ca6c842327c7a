"""Runs an unmodified Linux program on the host and in a guest: its root file system, made once for each content, and QEMU."""

import fcntl
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time

import qemu

FOLDERS = {"dev": 0o755, "etc": 0o755, "proc": 0o555, "root": 0o700, "run": 0o755, "sys": 0o555, "tmp": 0o1777, "test": 0o755}
TEXTS = {
    "/etc/passwd": b"root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "/etc/group": b"root:x:0:\nnogroup:x:65534:\n",
}
MERGED = ["/bin", "/lib", "/lib64", "/sbin"]  # links into /usr where the host has them so
QEMU_NAME = "linux"


class Tree:
    """A root file system to be: guest path -> path on the host, bytes, or the target of a symbolic link as str in a tuple."""

    def __init__(self):
        self.entries = dict(TEXTS)
        self.keeps_times = False  # of the host's files: Python's compiled modules name the time of their source
        for path in MERGED:
            if os.path.islink(path):
                self.entries[path] = (os.readlink(path),)

    def add(self, path):
        """What the host has at PATH, file or folder, at the same place, with each link that leads there."""
        here, parts = "/", path.split("/")
        while parts:
            part = parts.pop(0)
            there = os.path.normpath(os.path.join(here, part))
            if os.path.islink(there):
                target = os.readlink(there)
                self.entries[there] = (target,)
                parts = target.split("/") + parts
                here = "/" if target.startswith("/") else here
            else:
                here = there
        if os.path.isdir(here):
            self.add_folder(here)
        elif os.path.isfile(here):
            self.entries[here] = here

    def add_folder(self, folder):
        self.entries.setdefault(folder, folder)
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.path.isdir(path):
                self.add_folder(path)
            elif path not in self.entries:
                self.add(path)

    def put(self, path, source):
        """SOURCE, bytes or a file of the host, at PATH of the guest."""
        self.entries[path] = source

    def drop(self, pattern):
        """Removes the paths that PATTERN, a regular expression, finds."""
        self.entries = {path: source for path, source in self.entries.items() if not re.search(pattern, path)}

    def add_libraries(self):
        """The interpreter and libraries of each dynamic program and library in the tree, as ldd names them."""
        files = [s for s in self.entries.values() if isinstance(s, str) and os.path.isfile(s) and is_elf(s)]
        for start in range(0, len(files), 100):
            said = subprocess.run(["ldd", *files[start:start + 100]], capture_output=True, text=True, check=False)
            for path in sorted(set(re.findall(r"(/\S+) \(0x", said.stdout))):
                self.add(path)

    def key(self):
        """A text that two trees share when their content is the same."""
        total = hashlib.sha256(repr(self.keeps_times).encode())
        for path, source in sorted(self.entries.items()):
            total.update(repr((path, describe(source))).encode())
        return total.hexdigest()[:16]

    def write(self, folder):
        for name, mode in FOLDERS.items():
            os.mkdir(os.path.join(folder, name))
            os.chmod(os.path.join(folder, name), mode)
        for path, source in sorted(self.entries.items()):
            target = folder + path
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if isinstance(source, tuple):
                os.symlink(source[0], target)
            elif isinstance(source, bytes):
                with open(target, "wb") as file:
                    file.write(source)
            elif os.path.isdir(source):
                os.makedirs(target, exist_ok=True)
            else:
                shutil.copy2(source, target)

    def image(self):
        """Path of an EROFS image of this tree, in build/test/erofs."""
        folder = os.path.join(qemu.BUILD, "test", "erofs")
        os.makedirs(folder, exist_ok=True)
        name = os.path.join(folder, self.key())
        # One lock for each image, and the test runner may have a worker for each CPU.
        with open(name + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(name + ".erofs"):
                with tempfile.TemporaryDirectory() as tree:
                    self.write(tree)
                    options = ["-Enoinline_data", "--all-root"] + ([] if self.keeps_times else ["-T0"])
                    subprocess.run(["mkfs.erofs", *options, name + ".part", tree], check=True, capture_output=True)
                os.rename(name + ".part", name + ".erofs")
        return name + ".erofs"


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def describe(source):
    """What of an entry of a tree makes it differ from another."""
    if not isinstance(source, str):
        return source
    status = os.stat(source)
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    # Large files that nothing but a package manager changes are known by their size and time.
    if status.st_size > 1 << 20:
        return (status.st_mode, status.st_size, status.st_mtime_ns, source)
    with open(source, "rb") as file:
        return (status.st_mode, hashlib.sha256(file.read()).hexdigest())


def image_path(build="release"):
    """The kernel that runs programs from a root file system."""
    return os.path.join(qemu.IMAGES[build], QEMU_NAME)


def quote(word):
    """A word of the program's part of the command line (kernel/init/args.h)."""
    word = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{word}"' if not word or re.search(r"\s", word) else word


def tree_of(path, files=(), place=None):
    """A tree with the program at PATH (PLACE in the guest, by default the same), FILES of the host, and all libraries."""
    tree = Tree()
    if place:
        tree.put(place, path)
    else:
        tree.add(path)
    for file in files:
        tree.add(file)
    tree.add_libraries()
    return tree


def link(tree, cmdline, target):
    """Makes one bootable file, TARGET, with the kernel, TREE as its root file system, and CMDLINE."""
    scripts = os.path.join(qemu.ROOT, "scripts")
    roots = subprocess.run([os.path.join(scripts, "syscalls"), "--roots"], check=True, capture_output=True, text=True)
    subprocess.run([os.path.join(scripts, "link-image"), "-o", os.path.abspath(target),
                    "-l", "build/obj/release/libkernel.a", "-t", "kernel/arch/x86_64/image.ld", "-s", "build/bin/drupe-symtab",
                    "-p", "kernel/init/platforms/qemu", "-u", "main " + roots.stdout.replace("-u ", ""),
                    "-r", tree.image(), "-c", cmdline], cwd=qemu.ROOT, check=True)


def run_tree(tree, words, smp=1, memory=256, cmdline="", build="release", timeout=60, stdin=b"", cpu="max", extra=()):
    """Boots TREE as the root file system; WORDS are the program and its arguments. Gives a qemu.Result."""
    line = " ".join([*([cmdline] if cmdline else []), "--", *map(quote, words)])
    return qemu.boot(image_path(build), timeout=timeout, stdin=stdin, memory=memory, smp=smp, cpu=cpu, cmdline=line,
                     initrd=tree.image(), extra=extra)


def run_program(path, args=(), files=(), place=None, **options):
    """Runs the program at PATH with ARGS in a guest; see tree_of and run_tree."""
    return run_tree(tree_of(path, files, place), [place or path, *args], **options)


def run_host(path, args=(), timeout=60, stdin=b"", env=None):
    """The same program on this machine. Gives a qemu.Result with standard output and standard error as one text."""
    began = time.monotonic()
    line = [path, *args]
    child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                             preexec_fn=qemu.die_with_parent)
    try:
        raw, _ = child.communicate(stdin, timeout=timeout)
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.kill()
        raw, _ = child.communicate()
        status = None
    return qemu.Result(line, qemu.clean(raw), "", status, time.monotonic() - began)
