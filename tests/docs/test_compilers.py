# SPDX-License-Identifier: BSD-2-Clause
"""Which compilers ./setup installs on an invented machine, and which ones `make` calls."""

import os
import re
import shutil
import subprocess

import pytest

from documents import ROOT

TOOLS = "bash cat dirname env grep id mktemp rm sed tail head".split()


@pytest.fixture
def packages(tmp_path):
    """Calls ./setup with an apt-get that installs nothing. Returns the packages it would install."""
    log = tmp_path / "installed"
    programs = {"dpkg-query": "", "apt-get": f'case "$*" in *" install "*) echo "$*" >{log}; exit 1; esac'}

    def call(*arguments, compilers=(), **environment):
        folder = tmp_path / "bin"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        log.write_text("")
        for tool in TOOLS:
            (folder / tool).symlink_to(shutil.which(tool))
        for name, body in {**programs, "sudo": 'while [ "${1#-}" != "$1" ]; do shift; done; "$@"',
                           **dict.fromkeys(compilers, "")}.items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)
        done = subprocess.run([ROOT / "setup", *arguments], text=True, capture_output=True, check=False,
                              env={"PATH": str(folder), "HOME": str(tmp_path), **environment})
        assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
        return log.read_text().split() or done.stderr

    return call


@pytest.mark.parametrize("given", [{"compilers": ("i686-elf-gcc", "powerpc-eabi-gcc")},
                                   {"compilers": ("my-gcc",), "CROSS_i386": "my-", "CROSS_ppc": "my-"}])
def test_compilers_of_the_user_build_images(packages, given):
    """Programs for Linux, of the peer and of qemu-ppc, do not use these."""
    demo, check = packages("demo", **given), packages("check", **given)
    peer = packages("linux-peer", **given)
    assert "gcc-i686-linux-gnu" not in demo and "gcc-powerpc-linux-gnu" not in demo
    assert "gcc-powerpc-linux-gnu" in check and "gcc-i686-linux-gnu" in peer


def test_compilers_of_debian_otherwise(packages):
    demo = packages("demo")
    assert "gcc-i686-linux-gnu" in demo and "gcc-powerpc-linux-gnu" in demo
    linux = ("i686-linux-gnu-gcc", "powerpc-linux-gnu-gcc")
    check, peer = packages("check", compilers=linux), packages("linux-peer", compilers=linux)
    assert "gcc-powerpc-linux-gnu" not in check and "gcc-i686-linux-gnu" not in peer


def test_compiler_that_is_not_there(packages):
    assert "there is no nix-gcc" in packages("demo", CROSS_i386="nix-")


def made(*arguments, **environment):
    """Returns what `make` would run for the smallest image of each architecture. It does not inherit from
    a make that runs this test."""
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES")}
    done = subprocess.run(["make", "-n", "-B", "V=1", *arguments, "build/i386/hello.elf", "build/ppc/hello.elf"],
                          cwd=ROOT, text=True, capture_output=True, check=True, env={**own, **environment})
    return done.stdout


def test_images_are_linked_by_the_compiler_that_compiles():
    """Only this compiler can read its own objects for link-time optimisation."""
    text = made("CC_i386=other-gcc", "CC_ppc=another-gcc")
    assert re.search(r"^other-gcc .* -o build/i386/hello\.elf$", text, re.MULTILINE)
    assert re.search(r"^another-gcc .* -o build/ppc/hello\.elf$", text, re.MULTILINE)


def test_toolchains_in_the_cache_are_found(tmp_path):
    """Compilers of `make toolchains` are used if PATH has none."""
    lwip = subprocess.run(["./setup", "--lwip-dir"], cwd=ROOT, text=True, capture_output=True, check=True)
    environment = {"XDG_CACHE_HOME": str(tmp_path), "LWIP_DIR": lwip.stdout.strip(), "PATH": "/usr/bin:/bin"}
    for target in "i686-elf", "powerpc-eabi":
        folder = tmp_path / "vtnet" / f"gcc-12.2.0-{target}" / "bin"
        folder.mkdir(parents=True)
        (folder / f"{target}-gcc").write_text("#!/bin/sh\n")
        (folder / f"{target}-gcc").chmod(0o755)
    text = made("CROSS_i386=i686-elf-", "CROSS_ppc=powerpc-eabi-", **environment)
    for target in "i686-elf", "powerpc-eabi":
        assert f"\n{tmp_path}/vtnet/gcc-12.2.0-{target}/bin/{target}-gcc " in text
    assert "linux-gnu-gcc" not in text
    assert str(tmp_path) not in made(**environment)  # only if requested


OBJDUMPS = {"i386": ("i686-linux-gnu-objdump", "i686-elf-objdump", "objdump"),
            "ppc": ("powerpc-linux-gnu-objdump", "powerpc-eabi-objdump")}
FULL = {"i386": r"\block |\bmfence\b", "ppc": r"\b(hw)?sync\b"}
# On an x86 ordinary loads and stores are in order for devices, too.
OTHERS = {"i386": "", "ppc": r"\b(hw|lw)?sync\b"}


@pytest.mark.parametrize("arch", OBJDUMPS)
def test_barriers_are_those_for_devices(arch):
    """ORDER_PLATFORM needs barriers for devices; those between processors are not enough."""
    objdump = next(filter(shutil.which, OBJDUMPS[arch]))
    listing = subprocess.run([objdump, "-d", ROOT / f"build/{arch}/libvtnet.a"], text=True,
                             capture_output=True, check=True).stdout
    functions = re.findall(r"^[0-9a-f]+ <(\w+)>:\n((?:.+\n)+)", listing, re.MULTILINE)
    for wanted, pattern in [("virtqueue_try_kick", FULL), ("virtio_device_fence", FULL), ("show", OTHERS),
                            ("virtqueue_packed_add", OTHERS), ("virtqueue_packed_add_single", OTHERS),
                            ("virtqueue_split_next_used", OTHERS), ("virtqueue_packed_next_used", OTHERS)]:
        bodies = [body for name, body in functions if name == wanted]
        assert bodies
        for body in bodies:
            assert re.search(pattern[arch], body), f"{wanted}: {body}"
