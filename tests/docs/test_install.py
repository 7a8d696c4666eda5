# SPDX-License-Identifier: BSD-2-Clause
"""What `make install` installs: a library, headers for C and C++, tools with manual pages."""

import re
import shutil
import subprocess

import pytest

from documents import ROOT

LIBC = {"memcpy", "memmove", "memset", "memcmp", "strlen"}
PLATFORM = re.compile(r"(virtio|vpci)_platform_\w+")


def run(*command, cwd=ROOT):
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("installed")
    run("make", "--no-print-directory", "install", "ARCH=host", "PREFIX=/opt/vtnet", f"DESTDIR={root}")
    return root / "opt/vtnet"


def headers(installed):
    root = installed / "include/vtnet"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.h"))


@pytest.mark.parametrize("compiler, kind", [("gcc", "c"), ("g++", "c++")])
def test_each_header_compiles_alone(installed, compiler, kind, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is missing: ./setup check installs it")
    assert len(headers(installed)) == 13
    for header in headers(installed):
        source = tmp_path / f"one.{'c' if kind == 'c' else 'cc'}"
        source.write_text(f'#include "{header}"\n#include "{header}"\nint main(void) {{ return 0; }}\n')
        run(compiler, "-x", kind, "-Wall", "-Wextra", "-Werror", "-I", installed / "include/vtnet",
            "-fsyntax-only", source)


def test_library_keeps_to_its_names(installed):
    """All symbols of the library have its prefixes, and it needs only the functions that the manual lists."""
    defined, wanted = set(), set()
    for line in run("nm", installed / "lib/libvtnet.a").splitlines():
        if found := re.fullmatch(r"[0-9a-f ]{17}([A-Z]) (\w+)", line):
            (wanted if found[1] == "U" else defined).add(found[2])
    assert len(defined) > 80
    assert not {name for name in defined if not re.match(r"(virtio|virtqueue|vpci)_", name)}
    rest = {name for name in wanted - defined if not PLATFORM.fullmatch(name)}
    assert rest <= LIBC, f"also asked for: {rest - LIBC}"
    manual = (ROOT / "docs/porting.md").read_text()
    assert all(f"`{name}`" in manual for name in LIBC)


def test_package_has_the_version(installed):
    text = (installed / "lib/pkgconfig/vtnet.pc").read_text()
    parts = re.findall(r"#define VIRTIO_NET_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)",
                       (installed / "include/vtnet/virtio/virtio_version.h").read_text())
    assert f"Version: {'.'.join(parts)}\n" in text
    assert "prefix=/opt/vtnet\n" in text


@pytest.mark.parametrize("tool", ["vtbench", "vtserve"])
def test_manual_names_each_option(installed, tool):
    helped = subprocess.run([installed / "bin" / tool, "--help"], text=True, capture_output=True,
                            check=False)
    named = set(re.findall(r"--[a-z-]+", helped.stdout + helped.stderr)) - {"--help"}
    page = (installed / f"share/man/man1/{tool}.1").read_text().replace("\\-", "-")
    assert named == set(re.findall(r"^\.BI? (--[a-z-]+)", page, re.MULTILINE)) - {"--help"}


def test_archive_is_reproducible(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("the sources are not in a git repository")
    sums = [re.match(r"\w{64}", run("make", "--no-print-directory", "dist")[-200:].splitlines()[-1])[0]
            for _ in range(2)]
    assert sums[0] == sums[1]
    archive = next((ROOT / "build").glob("vtnet-*.tar.gz"))
    run("tar", "xzf", archive, "-C", tmp_path)
    assert (tmp_path / archive.name.removesuffix(".tar.gz") / "Makefile").exists()
