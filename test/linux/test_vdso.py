"""The vDSO on CPUs where it must ask the kernel: without RDTSCP, and with counters that are not known to be in step."""

import pytest

import program
from test_linux import binary, verdicts


@pytest.mark.parametrize("cpu", ["qemu64,+rdrand,-rdtscp", "max,-hypervisor,-invtsc"])
def test_fallback(kernel, build, cpu):
    result = program.run_program(binary("musl-static", "vdso"), place="/test/vdso", smp=2, cpu=cpu, build=build, timeout=120)
    found, complete = verdicts(result.output)
    assert complete and "not ok" not in found.values() and result.guest_status == 0, result.describe()
