#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mutants: single changes to virtio/ and pci/, each of which a unit test must notice.

`make mutants` builds the unit tests and calls this; MUTANTS='WORD ...': only those that one of the words is
about. mutants.py --check: only whether the tables fit the sources, which takes no time.

The tables are the *.txt beside this file; README.md says how to read them. Nothing in the work tree is
changed: a mutant is compiled from a copy, and linked ahead of core.a with the test that is to kill it. The others
follow only if that one passes.
"""

import collections
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPU_S = 30  # processor time of one test program; the slowest takes some 2 s, and 10 s on the emulated PowerPC
WALL_S = 600  # for one that sleeps for ever
OUTPUT_BYTES = 16 << 20
EQUIVALENT = "equivalent"
BIG_ENDIAN = "big-endian "  # before a test's name: compiled for PowerPC


class TableError(Exception):
    """The table does not fit the sources."""


@dataclasses.dataclass
class Mutant:
    where: str  # table:line
    file: str
    old: str
    new: str
    test: str  # that is to kill it, or EQUIVALENT
    reason: str

    def __str__(self):
        change = re.sub(r"\s+", " ", f"{self.old.strip()}  ->  {self.new.strip() or 'nothing'}")
        return f"{self.where}: {self.file}: {change}"


@dataclasses.dataclass
class Result:
    mutant: Mutant
    killer: str = ""  # "": it survived
    error: str = ""
    late: bool = False  # not killed by the test that the table names


def read_table(path):
    file, old, new = "", [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("= "):
            file = line[2:]
        elif line.startswith("-"):
            old.append(line[2:])
        elif line.startswith("+"):
            new.append(line[2:])
        elif line and not line.startswith("#"):
            test, colon, reason = line.partition(": ")
            if not (file and old and colon):
                raise TableError(f"{path.name}:{number}: expected a change, or 'test: reason' after one")
            yield Mutant(f"{path.name}:{number}", file, "\n".join(old), "\n".join(new), test, reason)
            old, new = [], []
    if old or new:
        raise TableError(f"{path.name}: the last change has no test")


def read_tables():
    mutants = [m for path in sorted(pathlib.Path(__file__).parent.glob("*.txt")) for m in read_table(path)]
    errors = []
    for mutant in mutants:
        source = ROOT / mutant.file
        found = source.read_text().count(mutant.old) if source.is_file() else 0
        name = mutant.test.removeprefix(BIG_ENDIAN)
        if found != 1:
            errors.append(f"{mutant}: found {found} times")
        if mutant.old == mutant.new:
            errors.append(f"{mutant}: no change")
        if name != EQUIVALENT and not (ROOT / f"tests/unit/{name}.c").is_file():
            errors.append(f"{mutant}: there is no {name}")
    if errors:
        raise TableError("\n".join(errors))
    return mutants


class Flavour:
    """One of the two builds of the unit tests, and what they need to run."""

    def __init__(self, name, libraries, runner):
        self.objects = ROOT / f"build/{name}/unit"
        self.command = (ROOT / f"build/{name}/unit.flags").read_text().split()
        self.libraries = libraries
        self.runner = runner
        self.seconds = {}  # of each test, by which those that need few are tried before the others
        self.adds = [word.split("=") for word in os.environ["UNIT_ADDS"].split()]  # test=source
        self.tests = {path.stem: self.parts_of(path) for path in sorted((ROOT / "tests/unit").glob("test_*.c"))}

    def parts_of(self, test):
        """The sources of core.a that this test program has in it: those whose functions it has."""
        program = self.objects / test.stem
        names = subprocess.run(["nm", "--defined-only", program], check=True, capture_output=True, text=True).stdout
        names = {line.split()[-1] for line in names.splitlines()}
        return {file for file, theirs in self.globals_of_core().items() if theirs & names}

    def globals_of_core(self):
        if not hasattr(self, "_globals"):
            self._globals = {}
            for folder in ("virtio", "pci"):
                for obj in sorted((self.objects / folder).glob("*.o")):
                    out = subprocess.run(["nm", "-g", "--defined-only", obj], check=True, capture_output=True, text=True)
                    names = {line.split()[-1] for line in out.stdout.splitlines()}
                    self._globals[f"{folder}/{obj.stem}.c"] = {n for n in names if not n.startswith("__")}
        return self._globals

    def sources_with(self, file):
        """The sources of core.a that are compiled anew when this file changes."""
        if file.endswith(".c"):
            return [file]
        return [
            source
            for source in self.globals_of_core()
            if re.search(rf"\s{re.escape(file)}\s", (self.objects / source).with_suffix(".d").read_text() + "\n")
        ]

    def compile(self, overlay, source):
        changed = overlay / source
        target = overlay / (source.replace("/", "_") + ".o")
        command = self.command + [f"-I{overlay}", "-c", changed if changed.exists() else source, "-o", target]
        # What the mutant does not use any more is no error of the table.
        command[1:1] = [f"-I{overlay}", "-Wno-error", "-w"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TableError("does not compile: " + done.stderr.strip().splitlines()[0])
        return target

    def link(self, overlay, test, objects):
        adds = [(self.objects / source).with_suffix(".o") for theirs, source in self.adds if theirs == test]
        own = self.objects / f"tests/unit/{test}.o"
        program = overlay / test
        command = self.command + [own, *adds, *objects, self.objects / "core.a", *self.libraries, "-o", program]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TableError("does not link: " + done.stderr.strip().splitlines()[0])
        return program

    def run(self, program, log):
        """Why the program failed, or "" if it did not."""

        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
            resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        environment = os.environ | {"ASAN_OPTIONS": "hard_rss_limit_mb=1500", "CMOCKA_TEST_ABORT": "1"}
        with log.open("wb") as out:
            try:
                status = subprocess.run(
                    [*self.runner, program], cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                    preexec_fn=limit, env=environment, timeout=WALL_S, check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                return "timeout"
        if status == 0:
            return ""
        text = log.read_text(errors="replace")
        if status == -24 or "CPU time limit" in text:
            return "timeout"
        begun = re.findall(r"^\[ RUN      \] (\w+)", text, re.MULTILINE)
        return begun[-1] if begun else f"status {status}"


def try_mutant(flavours, work, number, mutant, usual):
    """usual: how many mutants of the same file each test is to kill."""
    flavour = flavours[mutant.test.startswith(BIG_ENDIAN)]
    overlay = work / str(number)
    result = Result(mutant)
    changed = overlay / mutant.file
    changed.parent.mkdir(parents=True)
    changed.write_text((ROOT / mutant.file).read_text().replace(mutant.old, mutant.new))
    try:
        sources = flavour.sources_with(mutant.file)
        objects = {source: flavour.compile(overlay, source) for source in sources}
        named = mutant.test.removeprefix(BIG_ENDIAN)
        tests = [t for t, parts in flavour.tests.items() if parts & set(sources)]
        for test in sorted(tests, key=lambda t: (t != named, -usual[t], flavour.seconds[t])):
            theirs = [o for source, o in objects.items() if source in flavour.tests[test]]
            why = flavour.run(flavour.link(overlay, test, theirs), overlay / "log")
            if why:
                result.killer = f"{test} ({why})"
                result.late = test != named
                break
    except TableError as error:
        result.error = str(error)
    shutil.rmtree(overlay)
    return result


def control(flavours, work, mutants, pool):
    """The tests must pass without a mutant, or they show nothing."""
    programs = []
    for flavour in flavours:
        big = flavour is flavours[1]
        if any(m.test.startswith(BIG_ENDIAN) == big for m in mutants):
            programs += [(flavour, test) for test, parts in flavour.tests.items() if parts]

    def passes(flavour, test):
        begun = time.monotonic()
        why = flavour.run(flavour.objects / test, work / f"{flavour.objects.parent.name}-{test}.log")
        flavour.seconds[test] = time.monotonic() - begun
        return not why

    good = list(pool.map(lambda program: passes(*program), programs))
    failed = [test for (_, test), passed in zip(programs, good) if not passed]
    if failed:
        raise TableError(f"without any mutant these tests fail: {' '.join(failed)}")


def report(results, seconds):
    bad = 0
    for result in results:
        if result.error:
            bad += 1
            print(f"ERROR {result.mutant}: {result.error}")
        elif result.mutant.test == EQUIVALENT and result.killer:
            bad += 1
            print(f"NOT EQUIVALENT {result.mutant}: killed by {result.killer}")
        elif result.mutant.test != EQUIVALENT and not result.killer:
            bad += 1
            print(f"SURVIVED {result.mutant}: {result.mutant.reason}")
        elif result.late:
            print(f"killed by {result.killer}, not by {result.mutant.test}: {result.mutant}")
    for result in results:
        if result.mutant.test == EQUIVALENT and not result.killer and not result.error:
            print(f"equivalent: {result.mutant}: {result.mutant.reason}")
    killed = sum(1 for r in results if r.killer)
    timeouts = sum(1 for r in results if "(timeout)" in r.killer)
    print(
        f"mutants: {len(results)}, killed {killed} ({timeouts} by a timeout), "
        f"equivalent {sum(1 for r in results if r.mutant.test == EQUIVALENT)}, bad {bad}; {seconds:.0f} s"
    )
    return 1 if bad else 0


def main(words):
    mutants = read_tables()
    if words == ["--check"]:
        print(f"mutants: {len(mutants)}, all fit the sources")
        return 0
    if words:
        mutants = [m for m in mutants if any(w in f"{m} {m.test} {m.reason}" for w in words)]
    begun = time.monotonic()
    flavours = [
        Flavour("host", ["-lcmocka"], []),
        Flavour("ppc-linux", [ROOT / "build/ppc-linux/cmocka.o"], ["qemu-ppc"]),
    ]
    with (
        tempfile.TemporaryDirectory(prefix="mutants-", dir=ROOT / "build") as folder,
        concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count()))) as pool,
    ):
        work = pathlib.Path(folder)
        control(flavours, work, mutants, pool)
        usual = {m.file: collections.Counter(o.test for o in mutants if o.file == m.file) for m in mutants}
        runs = [pool.submit(try_mutant, flavours, work, i, m, usual[m.file]) for i, m in enumerate(mutants)]
        for run in concurrent.futures.as_completed(runs):
            result = run.result()
            print(f"{result.killer or result.error or 'survives':50} {result.mutant}", flush=True)
    results = [run.result() for run in runs]
    return report(results, time.monotonic() - begun)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except TableError as problem:
        sys.exit(f"mutants: {problem}")
