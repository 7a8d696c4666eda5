# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the system tests, which boot real guests on tap0 at 10.0.0.1/24."""

import contextlib
import shutil
import sys

import pytest

sys.dont_write_bytecode = True

from guest import ARCHITECTURES, ROOT, Guest  # noqa: E402
from host import ip  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--arch", choices=[arch.name for arch in ARCHITECTURES],
                     help="only the tests of this architecture; those of none go with the last")



def pytest_collection_modifyitems(config, items):
    chosen = config.getoption("--arch")
    if chosen is None:
        return
    kept, others = [], []
    for item in items:
        params = getattr(item, "callspec", None) and item.callspec.params
        arch = (params or {}).get("arch", ARCHITECTURES[-1])
        (kept if arch.name == chosen else others).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=others)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if session.config.option.collectonly:
        return
    if " inet 10.0.0.1/24 " not in ip("address", "show", "dev", "tap0", check=False):
        pytest.exit("there is no tap0 at 10.0.0.1/24: run the system tests by "
                    "`make check-system`", returncode=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The report of a failure includes the console of each guest."""
    report = (yield).get_result()
    if report.failed:
        for number, guest in enumerate(Guest.seen, 1):
            report.sections.append((f"guest {number}", guest.report()))
    if call.when == "teardown":
        Guest.seen[:] = [guest for guest in Guest.seen if not guest.closed]


@pytest.fixture(params=ARCHITECTURES, ids=lambda arch: arch.name, scope="session")
def arch(request):
    """The architecture of the guests: every test runs for each."""
    if not shutil.which(request.param.machine[0]):
        pytest.fail(f"{request.param.machine[0]} is missing: ./setup installs it", pytrace=False)
    if not (ROOT / request.param.image[1]).exists():
        pytest.fail(f"{request.param.image[1]} is missing: `make` builds it", pytrace=False)
    return request.param


@pytest.fixture
def boot(arch):
    """Starts guests and ends them with the test. At that time all must run well, except those whose end
    the test has checked."""
    started = []
    with contextlib.ExitStack() as stack:
        def start(append="", **options):
            started.append(stack.enter_context(Guest(arch, append, **options)))
            return started[-1]
        yield start
        for guest in started:
            if not guest.end_seen:
                guest.assert_well()
