"""Fixtures of the tests that boot images."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot"))

import program
import qemu

KVM_PROBE_SECONDS = 20


def pytest_addoption(parser):
    parser.addoption("--builds", default="release",
                     help="which builds to boot, of " + ", ".join(qemu.IMAGES) + " (default: release; make check: all)")


def pytest_generate_tests(metafunc):
    if "build" in metafunc.fixturenames:
        metafunc.parametrize("build", metafunc.config.getoption("builds").split(","))


def pytest_collection_modifyitems(config, items):
    """Boots that take seconds and prove the same of every build (UEFI, KVM, most programs) are of the first one only."""
    first = config.getoption("builds").split(",")[0]

    def is_kept(item):
        parameters = getattr(item, "callspec", None)
        if not parameters or parameters.params.get("build", first) == first:
            return True
        if "kernel" in item.fixturenames and parameters.params.get("flavour") != "musl-static":
            return False
        return parameters.params.get("firmware") != "uefi" and "kvm" not in item.fixturenames

    items[:] = [item for item in items if is_kept(item)]


@pytest.fixture
def image(build):
    """Path of a test image by name, of the build under test."""
    def find(name):
        path = qemu.image_path(name, build)
        assert os.path.exists(path), f"{path} is not built"
        return path
    return find


@pytest.fixture
def kernel(build):
    """Path of the image that runs unmodified programs, of the build under test."""
    path = program.image_path(build)
    if not os.path.exists(path):
        pytest.skip(f"{os.path.relpath(path, qemu.ROOT)} is not built")
    return path


@pytest.fixture(scope="session")
def kvm(request):
    """For tests that boot under KVM: skips them, with what a probe saw, where it does not run an image."""
    if not os.path.exists("/dev/kvm"):
        pytest.skip("no /dev/kvm")
    build = request.config.getoption("builds").split(",")[0]
    seen = qemu.boot(qemu.image_path("hello", build), accel="kvm", cpu=qemu.KVM_CPU, timeout=KVM_PROBE_SECONDS)
    if "hello from main" not in seen.output:
        last = (seen.errors or seen.output).strip().splitlines()[-1:]
        ended = "ran out of time" if seen.status is None else f"ended with status {seen.status}"
        pytest.skip(f"boot-hello under KVM {ended}: {last[0] if last else 'no output'}")
