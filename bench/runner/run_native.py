#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures without a guest: vtserve in its own network namespace, over a veth pair.

  ./vm netns -- bench/runner/run_native.py COMMAND ...     with its address in VTNET_GUEST
"""

import os
import signal
import subprocess
import sys

from run_plan import ROOT

HERE, THERE = "10.0.1.1", "10.0.1.2"
SERVE = f"""echo ready; read go
ip link set lo up && ip address add {THERE}/24 dev veth1 && ip link set veth1 up && echo up
exec {ROOT}/build/host/vtserve"""


def main():
    ip = ["env", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin"]
    server = subprocess.Popen([*ip, "unshare", "-n", "sh", "-c", SERVE], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        server.stdout.readline()
        for line in ("link add veth0 type veth peer name veth1", f"link set veth1 netns {server.pid}",
                     f"address add {HERE}/24 dev veth0", "link set veth0 up"):
            subprocess.run([*ip, "ip", *line.split()], check=True)
        server.stdin.write("go\n")
        server.stdin.flush()
        server.stdout.readline()
        return beside(sys.argv[1:])
    finally:
        server.kill()
        server.wait()


def beside(command):
    process = subprocess.Popen(command, env=dict(os.environ, VTNET_GUEST=THERE))
    try:
        return process.wait()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    # an exception, so that the running processes are ended
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main())
