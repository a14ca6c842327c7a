"""A program that takes all there is of something gets an error, or is ended with a line that says who used what; the kernel
stays up and does not wait without end."""

import os

import pytest

import program
import qemu

ENOMEM, EAGAIN, EMFILE, ENOSPC = 12, 11, 24, 28
KILLED = 126  # 137, as far as the exit device can say it
# Kind of test/linux/exhaust.c, and the errors that may end it; none: the program is ended.
KINDS = {
    "mapping": [ENOMEM], "page": [], "shared-page": [], "object": [], "written": [ENOSPC], "folder": [ENOSPC],
    "file": [ENOSPC], "opened": [ENOMEM], "duplicate": [EMFILE, ENOMEM], "full-pipe": [ENOMEM, EAGAIN], "ticking": [ENOMEM],
    "watched": [ENOMEM], "watching": [ENOMEM], "notified": [EMFILE], "memory-file": [ENOSPC, ENOMEM], "timer": [EAGAIN],
    "queued": [EAGAIN], "thread": [EAGAIN],
}


@pytest.mark.parametrize("memory, smp", [(20, 1), (64, 4)], ids=["20M", "64M-4"])
@pytest.mark.parametrize("kind", KINDS)
def test_exhaust(kernel, build, kind, memory, smp):
    path = os.path.join(qemu.BUILD, "test", "linux", "musl-static", "exhaust")
    result = program.run_program(path, [kind], place="/test/exhaust", memory=memory, smp=smp, build=build, timeout=120)
    assert "panic" not in result.output, result.describe()
    if result.guest_status == KILLED:
        result.expect("out of memory: exhaust", "exit status 137", status=KILLED)
        return
    result.expect(f"{kind}: ")
    assert any(f", then errno {error}\n" in result.output for error in KINDS[kind]), result.describe()
