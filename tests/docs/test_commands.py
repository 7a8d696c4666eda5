# SPDX-License-Identifier: BSD-2-Clause
"""Every command of README.md and docs/ does what the document says. RULES has the check of each; a
command without a rule fails. Commands run as a user types them, in a namespace with a tap0."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as tree

import pytest

from documents import ROOT, blocks, code_spans, commands, manuals

TOO_LONG = 300  # seconds
BRIEF = " --rounds 1 --seconds 0.2 --count 100 --quiet"  # options of vtbench: the last one is used
SOME = " udp-rtt tcp-rtt tcp-in"  # one of vtbench's tests, if a command runs all


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Puts ./vm's records into a folder of this run, so that `./vm exec` finds our guest."""
    return dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin",
                XDG_RUNTIME_DIR=str(tmp_path_factory.mktemp("records")),
                PYTHONDONTWRITEBYTECODE="1")


def shell(text, environment):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=ROOT, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TOO_LONG,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    assert done.returncode == 0, f"{text}\nended with {done.returncode}:\n{done.stdout[-3000:]}"
    return done.stdout


def as_it_is(command, environment):
    shell(command, environment)


def shorter(pattern, replacement):
    """Returns the command with less work."""
    def check(command, environment):
        text, count = re.subn(pattern, replacement, command, count=1)
        assert count == 1
        shell(text, environment)
    return check


def brief_vtbench(command, environment):
    shell(command + BRIEF + (SOME if command.endswith("10.0.0.2") else ""), environment)


def target_exists(command, environment):
    """For a target that takes too long or installs: make knows it and all its prerequisites."""
    goals = command.removeprefix("make").strip() or "all"
    # nothing is run: with -n a recipe that calls make would still run
    shell(f"make -n SHELL=/bin/true LWIP=\"$(./setup --lwip-dir)\" {goals}", environment)


def files_exist(command, environment):
    """For another machine: the files that the command names exist."""
    names = re.findall(r"build/\S+", command)
    assert names
    target_exists("make " + " ".join(names), environment)


def with_a_guest(command, environment):
    """Runs the command while a guest runs, in the guest's network."""
    command = re.sub(r"\bping\b", "ping -c 1", command)
    wait = "sleep 2.5; " if ":" in command else ""  # its IPv6 address takes some time
    shell(f"./vm run -- bash -c '{wait}{command}'", environment)


def until_ready(command, environment):
    """Runs a guest on this terminal."""
    shell(f"{command} -- true", environment)


def serves(command, environment):
    """Runs QEMU without ./vm. Pings the guest when its console reports that it is ready."""
    command = command.replace(" -M prep ", " -M 40p ")  # the same image; that machine needs QEMU 4
    with tempfile.TemporaryFile("w+") as console:
        guest = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=ROOT, env=environment,
                                 stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            end = time.monotonic() + 20
            text = ""
            while "vtnet: ready" not in text and guest.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
                console.seek(0)
                text = console.read()
            assert "vtnet: ready" in text, f"{command}\n{text}"
            shell("ping -c 1 -W 5 10.0.0.2", environment)
        finally:
            guest.send_signal(signal.SIGTERM)
            guest.wait(timeout=10)


def newer_qemu(command, environment):
    done = subprocess.run(["./setup", "--qemu10-path"], cwd=ROOT, text=True, capture_output=True,
                          check=False)
    if done.returncode != 0:
        pytest.skip(done.stderr.strip())
    brief_vtbench(command, environment)


def where_installed(command, environment):
    program = command.split()[0]
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    with_a_guest(command, environment)


def curl(command, environment):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    as_it_is(command, environment)


def netperf(command, environment):
    """Runs it for a second, with the netperf that ./setup found."""
    done = subprocess.run(["./setup", "--netperf"], cwd=ROOT, text=True, capture_output=True,
                          check=False)
    if done.returncode != 0:
        pytest.skip(done.stderr.strip())
    with_a_guest(command.replace("netperf", f"{done.stdout.strip()} -l 1", 1), environment)


def iperf_server(command, environment):
    """Runs the host's server for a guest that prints its report."""
    if not shutil.which("iperf"):
        pytest.skip("iperf is not installed")
    assert re.search(r"vtnet: iperf: UDP, .* lost \d+/\d{3,} ", shell(command, environment))


def installs(command, environment):
    """Is not run here: only the form of the command is checked."""
    assert re.fullmatch(r"apt-get install [a-z-]+", command)


def prints_what_the_guide_says(command, environment):
    line = re.search(r"It prints `([^`]*)`", (ROOT / "docs/porting.md").read_text())[1]
    assert line in shell(command, environment)


def not_run(command, environment):
    """For commands that change the host or belong to other software; the document says so."""
    pytest.skip(f"not run: {command}")


RULES = [  # the first rule that matches the whole command is used
    (r"make lib(-host)?|make build/\S+", as_it_is),
    (r"make( [\w./=-]+)*", target_exists),
    (r"build/host/unit/\S+", lambda command, environment: shell(
        f"make {command}; {command}", environment)),
    (r"\./setup --\S+", as_it_is),
    (r"\./setup( docs| demo| check| qemu10| qemu-unstable| linux-peer| toolchains| model)?",
     lambda command, environment: shell("./setup --help", environment)),
    (r"apt-get install .*", installs),
    (r"qemu-system-\S+ .*ifname=tap0.*", serves),
    (r"\.\.\. .*", files_exist),
    (r"\./vm run .*--peer .*", shorter(r"^\./vm run", "./vm run --print")),
    (r"\./vm run( .*)? --print", as_it_is),
    (r"\./vm run( .*)? -- ping -c 3 .*", shorter("ping -c 3", "ping -c 3 -i 0.01")),
    (r"\./vm run( .*)? -- build/host/vtbench .*", brief_vtbench),
    (r"\./vm run( .*)? -- bench/runner/buffers \S+", shorter(r"buffers \S+$", "buffers --brief")),
    (r"\./vm run( .*)? -- bash -c .*", as_it_is),
    (r"\./vm run( .*)? -- curl .*", curl),
    (r"\./vm run( (?!-- ).*)?", until_ready),
    (r"\./vm exec \$\(\./setup --netperf\) .*", lambda command, environment: with_a_guest(
        f"{command} -l 1", environment)),
    (r"\./vm exec .*", with_a_guest),
    (r"ping .*", with_a_guest),
    (r"curl .*", where_installed),
    (r"netperf .*", netperf),
    (r"iperf .*", lambda command, environment: where_installed(command + " -t 1", environment)),
    (r"\./vm netns -- \S+python3 -m pytest .*", shorter("$", " --collect-only")),
    (r"\./vm netns -- bench/runner/firstping 10", shorter("10$", "2")),
    (r"\./vm netns -- .*bench/trace/anatomy.*",
     lambda command, environment: shell(re.sub(r"--json \S+", "--arch i386 --mode irq", command)
                                        + " --count 100", environment)),
    (r"\./vm netns -- bench/trace/exits .*", shorter("$", " --count 100")),
    (r"\./vm netns -- bench/runner/idle.*", shorter("$", " --arch i386 --modes irq --seconds 1")),
    (r"\./vm netns -- sh -c 'iperf .*", iperf_server),
    (r"\./vm netns -- sh -c .*", as_it_is),
    (r"\./vm netns -- bash", shorter("$", " -c 'ip address show dev tap0'")),
    (r"bench/runner/compare .*", shorter("$", " --rounds 1 --seconds 0.2 --tests tcp-in")),
    (r"bench/runner/floor .*", shorter("$", " --rounds 1 --seconds 0.1 --count 100 --tests udp-rtt")),
    (r"bench/runner/run .*", shorter("$", " --print-plan")),
    (r"bench/report/render .*", shorter(r"results/NAME|$", "--help ")),
    (r"PATH=\$\(\./setup --qemu10-path\) .*", newer_qemu),
    (r"gcc .* && build/port", prints_what_the_guide_says),
    (r"git .*|virsh .*", not_run),
]
# Code that begins like this within a sentence is a command, too.
SPOKEN = re.compile(r"(make|\./vm|\./setup|bench/\w+/\w+|build/host/\w+|curl|ping|netperf|iperf|"
                    r"apt-get|PATH=\S+|virsh|git) .*[a-z].*")
# These are not commands, but parts of a sentence about one.
SHAPES = re.compile(r"\./vm exec|build/host/vtbench ADDRESS|-t omni|ping -i 0\.01|iperf -s( -u)?")


def all_commands():
    found = list(commands())
    for path in manuals():
        found += [(path.name, span) for span in code_spans(path)
                  if SPOKEN.fullmatch(span) and not SHAPES.fullmatch(span)]
    return sorted(set(command for _, command in found))


@pytest.mark.parametrize("command", all_commands())
def test_command(command, environment):
    for pattern, check in RULES:
        if re.fullmatch(pattern, command):
            check(command, environment)
            return
    pytest.fail(f"no rule says how to check this: {command}", pytrace=False)


SERVE = """
serve() { # QEMU's command; pings its guest and ends it
    console=$(mktemp)
    "$@" </dev/null >"$console" 2>&1 & qemu=$!
    trap 'kill $qemu; rm -f "$console"' EXIT
    for _ in $(seq 500); do
        if grep -q 'vtnet: ready' "$console"; then break; fi
        sleep 0.02
    done
    ping -c 1 -W 5 10.0.0.2 || { cat "$console"; exit 1; }
}
"""


def there_are_bridges():
    return subprocess.run("unshare --net ip link add b0 type bridge", shell=True, check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("block", [block for block in blocks() if block.kind == "sh"],
                         ids=lambda block: block.text.strip().splitlines()[0])
def test_script(block, environment):
    """A block marked as sh is one script. It runs in an empty namespace of its own, and a guest that it
    starts is pinged."""
    if " type bridge" in block.text and not there_are_bridges():
        pytest.skip("the kernel has no bridges here")
    text = re.sub(r"^qemu-system", "serve qemu-system", block.text, flags=re.MULTILINE)
    mine = ROOT / "examples/mine"
    assert not mine.exists(), f"{mine} is in the way"
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
            script.write(f"set -euo pipefail\n{SERVE}\n{text}")
            script.flush()
            shell(f"unshare --net bash -c 'ip link set lo up; exec bash {script.name}'", environment)
    finally:
        shutil.rmtree(mine, ignore_errors=True)


def test_domain_is_what_libvirt_takes(environment, tmp_path):
    """Checks with libvirt's schema if it is installed, otherwise only that it is XML."""
    domain = (ROOT / "contrib/libvirt/vtnet.xml").read_text()
    interface, = (block.text for block in blocks() if block.kind == "xml")
    assert tree.fromstring(domain).tag == "domain"
    assert tree.fromstring(interface).tag == "interface"
    path = tmp_path / "vtnet.xml"
    for text in (domain, re.sub(r" *<interface.*</interface>\n", interface, domain, flags=re.DOTALL)):
        path.write_text(text)
        if shutil.which("virt-xml-validate"):
            shell(f"virt-xml-validate {path} domain", environment)


def port_command():
    return next(command for _, command in commands() if command.endswith("&& build/port"))


def test_port_that_breaks_a_rule_is_told_so(environment, tmp_path):
    """A port that ignores the requested alignment ends with a message of the fake device."""
    port = (ROOT / "tests/unit/port.c").read_text()
    broken, count = re.subn(r"aligned_alloc\(align, (.*)\);", r"(char *)malloc(\1 + 64) + 8;", port)
    assert count == 1
    (tmp_path / "broken.c").write_text(broken)
    command = port_command().replace("tests/unit/port.c", str(tmp_path / "broken.c"))
    text = shell("make lib-host; { " + command.replace("build/port", str(tmp_path / "port"))
                 + "; } && exit 1 || true", environment)
    assert re.search(r"fake_virtio\.c:\d+: error", text)


def test_port_with_sanitizers(environment, tmp_path):
    command = port_command().replace("build/host/libvtnet.a",
                                     "virtio/*.c pci/*.c -fsanitize=address,undefined")
    prints_what_the_guide_says(command.replace("build/port", str(tmp_path / "port")), environment)
