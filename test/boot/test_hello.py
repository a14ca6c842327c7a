"""boot-hello by PVH: machine types, memory sizes, CPU counts, CPU models."""

import pytest

import qemu

HELLO = "hello from main"
MEMORY_MIB = [3, 64, 128, 2048, 16384, 65536]


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("memory", MEMORY_MIB)
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_pvh(image, machine, memory, smp):
    qemu.boot(image("hello"), machine, memory=memory, smp=smp).expect(HELLO)


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_least_memory(image, machine):
    qemu.boot(image("hello"), machine, memory=2).expect(HELLO)


@pytest.mark.parametrize("smp", [64, 200])
def test_more_cpus_than_memory(image, smp):
    """CPUs for which there is no memory stay down, and are named; the others and the program run."""
    result = qemu.boot(image("hello"), memory=2, smp=smp)
    result.expect(f"CPU {smp - 1} (APIC id {smp - 1}) stays down: error 12", HELLO)


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_cpu_model(image, machine, cpu):
    qemu.boot(image("hello"), machine, cpu=cpu, smp=2).expect(HELLO)
