# SPDX-License-Identifier: BSD-2-Clause
"""bench/runner/run: order, continuing after an interruption, other load, failures."""

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import types

import made_up
import pytest
import run_beside
import run_load
import run_plan
import run_session
from run_records import Records, chosen

ROOT = run_plan.ROOT
QUIET = {"foreign": 0, "steal": 0, "load": 0}


def load_run():
    loader = importlib.machinery.SourceFileLoader("bench_run", str(ROOT / "bench/runner/run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_run", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def run(monkeypatch):
    """The module, which records in test.measured what it would measure, takes no time, and finds the
    machine quiet."""
    module = load_run()
    monkeypatch.setattr(module.run_load, "look", lambda *_: QUIET)
    monkeypatch.setattr(module, "Progress", Silent)
    return module


class Silent:
    def __init__(self, _steps):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def step(self):
        pass

    def note(self, _record):
        pass


A = run_plan.Subject("i386-tcg", "vtnet")
B = run_plan.Subject("i386-tcg", "linux", "e1000")
DEPTH = run_plan.Depth(rounds=3, seconds=1, count=1)
OPTIONS = types.SimpleNamespace(tolerance=0.05, anyway=False)


def measure_by(monkeypatch, outcome):
    """Gives each round the changes outcome(subject, round, attempt) of its record. Returns the list of
    measured rounds."""
    asked = []

    def measure(subject, number, *_):
        attempt = asked.count((number, subject.name)) + 1
        asked.append((number, subject.name))
        return made_up.round_of(subject, number, **outcome(subject, number, attempt))
    monkeypatch.setattr(run_session, "measure", measure)
    return asked


def records_of(folder, *subjects):
    records = Records(folder)
    records.add({"kind": "plan"})
    for subject in subjects:
        records.add({"kind": "subject", "subject": subject.name, "reason": ""})
    return records


def test_rounds_are_in_turn_and_the_timeline_comes_last():
    order = [(number, subject.name) for number, subject in run_plan.steps([A, B], DEPTH)]
    assert order == [(1, A.name), (1, B.name), (2, A.name), (2, B.name), (3, A.name), (3, B.name),
                     (run_plan.TIMELINE, A.name)]


def test_print_plan_names_every_subject():
    done = subprocess.run([ROOT / "bench/runner/run", "--print-plan"], stdout=subprocess.PIPE, text=True,
                          timeout=60, check=True)
    lines = done.stdout.splitlines()
    for subject in run_plan.subjects():
        assert sum(subject.name in line.split() for line in lines) == 5 + subject.own
    assert "minutes" in lines[-1]
    assert any("i386-tcg/freebsd/virtio" in line and "not measured: no image" in line
               for line in lines)


def test_goes_on_after_an_interruption(run, monkeypatch, tmp_path):
    steps = run_plan.steps([A, B], DEPTH)

    def interrupt(_subject, number, _attempt):
        if number == 2:
            raise KeyboardInterrupt
        return {}
    measure_by(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.measure_all(records_of(tmp_path, A, B), steps, DEPTH, OPTIONS)
    asked = measure_by(monkeypatch, lambda *_: {})
    records = Records(tmp_path)
    run.measure_all(records, steps, DEPTH, OPTIONS)
    assert asked == [(number, subject.name) for number, subject in steps[2:]]
    assert not list(run.remaining(Records(tmp_path), steps))


def test_a_line_cut_short_is_measured_again(run, tmp_path):
    records = records_of(tmp_path, A)
    records.add(made_up.round_of(A, 1))
    records.add(made_up.round_of(A, 2))
    data = records.path.read_bytes()
    records.path.write_bytes(data[:-20])
    again = Records(tmp_path)
    assert [record["round"] for record in again.of_kind("round")] == [1]
    again.add(made_up.round_of(A, 3))
    assert [record["round"] for record in Records(tmp_path).of_kind("round")] == [1, 3]
    assert [number for number, _ in run.remaining(again, run_plan.steps([A], DEPTH))] == \
        [2, run_plan.TIMELINE]


def test_failures_do_not_stop_the_others(run, monkeypatch, tmp_path):
    asked = measure_by(monkeypatch, lambda subject, *_: {"error": "hung"} if subject is A else {})
    run.measure_all(records_of(tmp_path, A, B), run_plan.steps([A, B], DEPTH), DEPTH, OPTIONS)
    assert asked == [(1, A.name), (1, B.name), (2, A.name), (2, B.name), (3, B.name)]


def test_a_disturbed_round_is_measured_again(run, monkeypatch, tmp_path):
    asked = measure_by(monkeypatch, lambda subject, number, attempt:
                       {"disturbed": "others"} if number == 1 and attempt == 1 else {})
    run.measure_all(records_of(tmp_path, A), run_plan.steps([A], DEPTH)[:3], DEPTH, OPTIONS)
    assert [number for number, _ in asked] == [1, 1, 2, 3]


def test_a_round_always_disturbed_stays_so(run, monkeypatch, tmp_path):
    asked = measure_by(monkeypatch, lambda *_: {"disturbed": "others"})
    run.measure_all(records_of(tmp_path, A), run_plan.steps([A], DEPTH)[:1], DEPTH, OPTIONS)
    assert len(asked) == run.ATTEMPTS
    assert chosen(Records(tmp_path).of_kind("round"))[A.name][1]["disturbed"]


def test_what_is_not_disturbed_counts():
    first, good, last = ({"subject": "a", "round": 1, "disturbed": disturbed, "seconds": seconds}
                         for disturbed, seconds in (("x", 1), ("", 2), ("y", 3)))
    assert chosen([first, good, last])["a"][1]["seconds"] == 2
    assert chosen([first, last])["a"][1]["seconds"] == 3


def stat(path, user, steal=0, idle=0):
    path.write_text(f"cpu  {user} 0 0 {idle} 0 500 500 {steal} 0 0\ncpu0 0\n")


def test_load_of_others_is_seen_and_ours_is_not(monkeypatch, tmp_path):
    stat(tmp_path / "stat", 1000)
    seconds, ours = iter([100, 110]), iter([0, 6])
    monkeypatch.setattr(run_load, "PROCESSORS", 2)
    monkeypatch.setattr(run_load, "time", types.SimpleNamespace(monotonic=lambda: next(seconds)))
    monkeypatch.setattr(run_load, "os", types.SimpleNamespace(
        getloadavg=os.getloadavg, times=lambda: types.SimpleNamespace(
            user=next(ours), system=0, children_user=0, children_system=0)))
    meter = run_load.Meter(tmp_path / "stat")
    stat(tmp_path / "stat", 1000 + 8 * run_load.TICKS, steal=run_load.TICKS)
    shares = meter.shares()
    assert shares["foreign"] == 0.1  # 8 seconds minus our 6, of 10 seconds of two processors
    assert shares["steal"] == 0.05


def test_what_disturbs_is_told():
    assert not run_load.disturbed(QUIET, 0.05)
    assert not run_load.disturbed({**QUIET, "load": 9, "foreign": 0.05}, 0.05)
    assert "other processes took 6%" in run_load.disturbed({**QUIET, "foreign": 0.06}, 0.05)
    assert "the host stole 7%" in run_load.disturbed({**QUIET, "steal": 0.07}, 0.05)


def test_refuses_to_start_when_disturbed(run, monkeypatch):
    monkeypatch.setattr(run_load, "look", lambda *_: {**QUIET, "foreign": 0.5})
    monkeypatch.setattr(run_load, "busiest", lambda: ["cc1 (7)"])
    with pytest.raises(SystemExit, match=r"other processes took 50%.*cc1 \(7\).*--anyway"):
        run.check_quiet(OPTIONS)
    run.check_quiet(types.SimpleNamespace(tolerance=0.05, anyway=True))


def test_another_plan_starts_anew(run, tmp_path):
    options = types.SimpleNamespace(results=tmp_path, name=None, new=False, prefix="bench")
    plan = {"kind": "plan", "depth": 1}
    folder, records = run.start_records(options, plan)
    assert run.start_records(options, plan)[0] == folder
    options.name = folder.name
    with pytest.raises(SystemExit, match="another plan"):
        run.start_records(options, {**plan, "depth": 2})
    options.name = None
    records.add({"kind": "end"})
    options.prefix = "bench-x"
    assert run.start_records(options, plan)[0] != folder


def session(tmp_path, monkeypatch, script, limit=20):
    """Runs a round with this script as ./vm."""
    program = tmp_path / "vm"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(run_plan, "VM", str(program))
    return run_session.measure(A, 1, DEPTH, limit, 1)


def test_a_session_that_works(tmp_path, monkeypatch):
    record = session(tmp_path, monkeypatch, "import json, sys; print(json.dumps("
                     "{'tests': {'argv': sys.argv[1:]}, 'memory': {}}))")
    assert not record["error"]
    words = record["tests"]["argv"]
    assert words[:7] == ["run", "--arch", "i386", "--accel", "tcg", "--nic", "virtio-net-pci"]
    assert json.loads(words[-1]) == {"seconds": 1, "count": 1, "tells": True, "timeline": False}
    assert record["seconds"] > 0 and record["subject"] == A.name and record["round"] == 1


def test_a_guest_that_does_not_start_is_a_failure(tmp_path, monkeypatch):
    record = session(tmp_path, monkeypatch, "import sys; sys.exit('  | console\\nvm: not ready')")
    assert record["error"] == "vm: not ready"


def test_a_session_that_hangs_is_ended(tmp_path, monkeypatch):
    start = time.monotonic()
    record = session(tmp_path, monkeypatch, "import time; time.sleep(60)", limit=0.3)
    assert record["error"] == "not done within 0 s"
    assert time.monotonic() - start < 30


def test_interrupt_leaves_whole_records_and_a_report(tmp_path):
    """A real run of the subject that needs no guest."""
    process = subprocess.Popen(
        [ROOT / "bench/runner/run", "--anyway", "--tolerance", "1", "--results", tmp_path, "--name", "x",
         "--only", "native/native"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's & makes the process ignore it
    file = pathlib.Path(tmp_path, "x/rounds.jsonl")
    deadline = time.monotonic() + 30
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "the same command continues" in err
    assert (tmp_path / "x/report.html").exists()
    for line in file.read_text().splitlines():
        json.loads(line)


def test_reason_of_a_failure_is_not_the_console():
    assert run_session.last_words("a: why\nvm: the guest's console:\n  | vtnet: ready\n") == "a: why"
    assert run_session.last_words("vm: no tap\nTraceback\n") == "vm: no tap"
    assert run_session.last_words("") == "no reason given"


def test_guest_that_falls_silent_keeps_what_it_had(monkeypatch):
    asked = []

    def memory():
        asked.append(None)
        if len(asked) == 3:  # at rest, after the first test, after the second
            raise SystemExit("it does not answer")
        return {"rx_held": 7}
    monkeypatch.setattr(run_beside, "memory", memory)
    monkeypatch.setattr(run_beside, "warm_up", lambda spec: "")
    monkeypatch.setattr(run_beside, "vtbench", lambda test, spec, **changed: {"test": test})
    monkeypatch.setattr(run_beside, "on_one_processor", contextlib.nullcontext)
    results = run_beside.measure({"tells": True, "seconds": 1})
    first, second, *others = (results["tests"][test.key] for test in run_beside.TESTS)
    assert "error" not in {**first, **second, **results}
    assert {test["error"] for test in others} == {
        f"not run: after {run_beside.TESTS[1].key}, it does not answer"}
    assert set(results["memory"]) == {"rest", run_beside.TESTS[0].key}
