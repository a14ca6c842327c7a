"""scripts/gdb/drupe.py finds the kernel in a running guest, as CONTRIBUTING.md says."""

import os
import socket
import subprocess
import time

import qemu
from test_hello import HELLO


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_main_breakpoint(image):
    """Stops the guest in main, at its random place, and reads a symbol there."""
    port = free_port()
    path = image("hello")
    guest = subprocess.Popen(qemu.command(qemu.MICROVM, kernel=path, extra=["-S", "-gdb", f"tcp:127.0.0.1:{port}"]),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        time.sleep(0.5)
        script = ["set pagination off", f"target remote 127.0.0.1:{port}", "drupe-go main", "backtrace",
                  "print/x (unsigned long)&main", "detach"]
        line = ["gdb", "-nx", "-batch", "-x", os.path.join(qemu.ROOT, "scripts", "gdb", "drupe.py"), path]
        for step in script:
            line += ["-ex", step]
        gdb = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             timeout=60)
        console = guest.communicate(timeout=20)[0].decode()
    finally:
        guest.kill()
        guest.wait()
    assert "#0  main" in gdb.stdout, gdb.stdout + console
    assert HELLO in console, gdb.stdout + console
