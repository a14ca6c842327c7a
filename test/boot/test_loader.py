"""The tests' own loader: an image of ours sees the protocol that was asked for, with the registers that belong to it."""

import os

import pytest

import qemu

PROBE = os.path.join(qemu.BUILD, "test", "probe")
PROBE_STATUS = 5


@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
@pytest.mark.parametrize("options, said", [("mode=linux64", "linux64"), ("mode=pvh", "pvh"), ("mode=pvh rsdp=0", "pv0")])
def test_probe(machine, options, said):
    if machine is qemu.MICROVM_NOACPI and said == "pvh":
        said = "pv0"
    qemu.load(PROBE, options, machine=machine).expect(said + "\n", status=PROBE_STATUS)


def test_no_elf():
    qemu.load(os.path.abspath(__file__), "mode=pvh").expect("the module is no ELF64 file", status=125)
