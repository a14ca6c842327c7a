"""The README's word: each command that it shows in a `sh` block works, here and now."""

import os
import re
import subprocess

import pytest

import qemu

# These run the tests, so a test does not run them: whoever reads this result has.
RUN_BY_CI = {"make check"}


def commands(page):
    with open(os.path.join(qemu.ROOT, page), encoding="utf-8") as file:
        blocks = re.findall(r"^```sh\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
    lines = (line.split("#")[0].strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line and line not in RUN_BY_CI]


@pytest.mark.parametrize("command", commands("README.md"))
def test_command(command):
    done = subprocess.run(["bash", "-ec", command], cwd=qemu.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    if command == "make demo":
        assert "hello from main" in done.stdout


def test_pages_exist():
    """Every relative link of the README leads somewhere."""
    with open(os.path.join(qemu.ROOT, "README.md"), encoding="utf-8") as file:
        links = re.findall(r"\]\(([^)#:]+)\)", file.read())
    missing = [link for link in links if not os.path.exists(os.path.join(qemu.ROOT, link))]
    assert not missing, missing


def test_dependencies_page():
    """doc/dependencies.md names the packages that scripts/install-deps installs, all and only those."""
    with open(os.path.join(qemu.ROOT, "scripts", "install-deps"), encoding="utf-8") as file:
        listed = re.search(r"packages=\((.*?)^\)", file.read(), re.DOTALL | re.MULTILINE).group(1)
    with open(os.path.join(qemu.ROOT, "doc", "dependencies.md"), encoding="utf-8") as file:
        told = re.findall(r"^\| [^|]+ \| ([a-z][^|]+) \|$", file.read(), re.MULTILINE)
    assert set(re.sub("#.*", "", listed).split()) == set(" ".join(told).split())
