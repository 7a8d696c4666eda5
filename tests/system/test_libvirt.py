# SPDX-License-Identifier: BSD-2-Clause
"""contrib/libvirt/vtnet.xml, started by a separate libvirtd: a session daemon of user nobody, who
owns a tap. The guest starts, has its console on a pty, executes commands there, and is destroyed
when it switches off."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import time

import pytest

import host
from guest import PATIENCE, ROOT, die_with_parent
from test_screen import I386

pytestmark = pytest.mark.parametrize("arch", [I386], indirect=True, ids=["i386"])
XML = ROOT / "contrib/libvirt/vtnet.xml"
USER = pwd.getpwnam("nobody")
TAP = "tap1"
ETHERNET = f"<interface type='ethernet'><target dev='{TAP}' managed='no'/><model type='virtio'/></interface>"
SLOW = 4 * PATIENCE


@pytest.fixture
def folder():
    """A folder that the daemon's user can access; pytest's own are for root only."""
    with tempfile.TemporaryDirectory(prefix="vtnet-libvirt-") as name:
        os.chown(name, USER.pw_uid, USER.pw_gid)
        yield pathlib.Path(name)


@pytest.fixture
def bridge():
    """Puts tap0's network on a bridge whose other port is the user's tap."""
    if subprocess.run(["ip", "link", "add", "br0", "type", "bridge"], check=False, capture_output=True).returncode:
        pytest.skip("the kernel has no bridges here")
    host.ip("tuntap", "add", "dev", TAP, "mode", "tap", "user", USER.pw_name)
    host.ip("address", "del", "10.0.0.1/24", "dev", "tap0")
    try:
        host.ip("link", "set", TAP, "master", "br0", "up")
        host.ip("address", "add", "10.0.0.1/24", "dev", "br0")
        host.ip("link", "set", "br0", "up")
        yield
    finally:
        host.ip("link", "del", "br0")
        host.ip("link", "del", TAP)
        host.ip("address", "add", "10.0.0.1/24", "dev", "tap0")


@pytest.fixture
def virsh(folder):
    """Runs virsh with the separate daemon, and returns its output."""
    for program in ("libvirtd", "virsh", "setpriv"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            pytest.skip(f"{program} is missing: ./setup hypervisors installs it")
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder),
                   **{f"XDG_{kind}": str(folder) for kind in ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME", "DATA_HOME")}}
    (folder / "libvirt").mkdir()
    (folder / "libvirt/qemu.conf").write_text('stdio_handler = "file"\nsecurity_driver = "none"\n')
    subprocess.run(["chown", "-R", USER.pw_name, folder], check=True)
    become = ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups"]

    def run(*arguments, check=True):
        done = subprocess.run([*become, "virsh", "-c", "qemu:///session", *arguments], env=environment, text=True,
                              capture_output=True, timeout=SLOW, check=False, cwd=folder)
        assert not check or done.returncode == 0, f"virsh {' '.join(arguments)}: {done.stderr}\n{log.read_text()}"
        return done.stdout.strip()

    log = folder / "log"
    with log.open("wb") as output, subprocess.Popen(
            [*become, "libvirtd"], env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, preexec_fn=die_with_parent, cwd=folder) as daemon:
        deadline = time.monotonic() + SLOW
        while not (folder / "libvirt/libvirt-sock").exists():
            if daemon.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"libvirtd does not run here: {log.read_text().strip().splitlines()[-1:]}")
            time.sleep(0.05)
        try:
            yield run
        finally:
            run("destroy", "vtnet", check=False)
            daemon.terminate()


def read_until(file, pattern):
    text, deadline = "", time.monotonic() + SLOW
    while not re.search(pattern, text, re.MULTILINE):
        assert time.monotonic() < deadline, f"no '{pattern}' in:\n{text}"
        try:
            text += os.read(file, 4096).decode(errors="replace").replace("\r", "")
        except BlockingIOError:
            time.sleep(0.02)
    return text


def test_domain(arch, virsh, bridge, folder):
    image = shutil.copy(ROOT / I386.image[1], folder)
    text = XML.read_text().replace("/var/lib/libvirt/boot/vtnet-demo.elf", image)
    text, count = re.subn(r"<interface type='bridge'>.*?</interface>", ETHERNET, text, flags=re.DOTALL)
    assert count == 1  # a session daemon may not add a tap to a bridge
    path = folder / "domain.xml"
    path.write_text(text)
    virsh("create", str(path))
    console = os.open(virsh("ttyconsole", "vtnet"), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        os.write(console, b"\r")
        read_until(console, r"vtnet> \Z")
        host.ping("10.0.0.2", count=20)
        host.serves("10.0.0.2")
        os.write(console, b"poweroff\r")
    finally:
        os.close(console)
    deadline = time.monotonic() + SLOW
    while "vtnet" in virsh("list", "--name"):
        assert time.monotonic() < deadline, "it is still there after poweroff"
        time.sleep(0.1)
