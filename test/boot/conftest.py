"""Fixtures of the boot tests."""

import os

import pytest

import qemu


def pytest_addoption(parser):
    parser.addoption("--builds", default="release",
                     help="which builds to boot, of " + ", ".join(qemu.IMAGES) + " (default: release; make check: all)")


def pytest_generate_tests(metafunc):
    if "build" in metafunc.fixturenames:
        metafunc.parametrize("build", metafunc.config.getoption("builds").split(","))


@pytest.fixture
def image(build):
    """Path of a test image by name, of the build under test."""
    def find(name):
        path = qemu.image_path(name, build)
        assert os.path.exists(path), f"{path} is not built"
        return path
    return find
