"""The same images under /dev/kvm, where a probe boot shows that it runs them. KVM may itself be emulated, and then slow."""

import os

import pytest

import qemu
from test_guest import NAMES
from test_hello import HELLO

pytestmark = pytest.mark.kvm
CPU = "host,-arch-capabilities"
PROBE_SECONDS = 20


@pytest.fixture(scope="module")
def kvm(request):
    """Skips with what the probe saw."""
    if not os.path.exists("/dev/kvm"):
        pytest.skip("no /dev/kvm")
    build = request.config.getoption("builds").split(",")[0]
    seen = qemu.boot(qemu.image_path("hello", build), accel="kvm", cpu=CPU, timeout=PROBE_SECONDS)
    if HELLO not in seen.output:
        last = (seen.errors or seen.output).strip().splitlines()[-1:]
        ended = "ran out of time" if seen.status is None else f"ended with status {seen.status}"
        pytest.skip(f"boot-hello under KVM {ended}: {last[0] if last else 'no output'}")


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("machine", qemu.MACHINES, ids=str)
def test_hello(kvm, image, machine, smp):
    qemu.boot(image("hello"), machine, accel="kvm", cpu=CPU, smp=smp, timeout=120).expect(HELLO)


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_guest(kvm, image, name, smp):
    qemu.boot(image(name), accel="kvm", cpu=CPU, smp=smp, timeout=300).tap()
