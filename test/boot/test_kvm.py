"""The same images under /dev/kvm, where a probe boot shows that it runs them. KVM may itself be emulated, and then slow."""

import pytest

import qemu
from test_clock import sources
from test_fault import SOME_KINDS, expect_panic
from test_guest import NAMES
from test_hello import HELLO

pytestmark = pytest.mark.kvm


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_hello(kvm, image, machine, smp):
    qemu.boot(image("hello"), machine, accel="kvm", cpu=qemu.KVM_CPU, smp=smp, timeout=120).expect(HELLO)


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_guest(kvm, image, name, smp):
    qemu.boot(image(name), accel="kvm", cpu=qemu.KVM_CPU, smp=smp, timeout=300).tap()


@pytest.mark.parametrize("options", ["", ",kvmclock=off", ",kvmclock=off,-x2apic,-tsc-deadline"])
def test_clock(kvm, image, options):
    result = qemu.boot(image("clock"), qemu.Q35, accel="kvm", cpu=qemu.KVM_CPU + options, smp=2, timeout=120)
    first = "tsc" if options else "kvmclock"
    assert {"pit", "hpet", "acpi_pm", first} <= sources(result)
    assert f"runs on {first}\n" in result.output


@pytest.mark.parametrize("kind, reason, function", SOME_KINDS, ids=[k[0] for k in SOME_KINDS])
def test_fault(kvm, image, kind, reason, function):
    result = qemu.boot(image("fault-cpu"), accel="kvm", cpu=qemu.KVM_CPU, cmdline="-- " + kind, smp=2, timeout=120)
    expect_panic(result, reason, function)


def test_x2apic(kvm, image):
    """KVM offers x2APIC, and it is what is used."""
    result = qemu.boot(image("clock"), accel="kvm", cpu=qemu.KVM_CPU + ",+x2apic", smp=2, timeout=120)
    assert any(v.startswith("x2APIC: yes") for v in result.tap()), result.describe()
