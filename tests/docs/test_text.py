# SPDX-License-Identifier: BSD-2-Clause
"""What the documents name exists: links, files, tests, boot arguments, licences."""

import re
import shutil
import subprocess

import pytest

from documents import ROOT, blocks, code_spans, documents, files, manuals, prose

LICENCE = "SPDX-License-Identifier: BSD-2-Clause"
SOURCES = {".c", ".h", ".S", ".py", ".ld", ".ini", ".js", ".mjs", ".css", ".html", ".mk"}
NAMED = SOURCES | {".md", ".json", ".svg"}
# File names in documents that belong to other software or are created at run time.
ELSEWHERE = re.compile(r"(build|results|dev|sys|proc|boot/loader|etc)\b.*|/.*|.*[A-Z]{4}.*|"
                       r"(tables|report|anatomy|buffers|rounds|mine|if_vtnet|virtio_net|compile_commands)\.\w+")


def document_ids(path):
    return str(path.relative_to(ROOT))


def anchors(path):
    """Returns the anchors that GitHub makes of headings."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return found


@pytest.mark.parametrize("path", documents(), ids=document_ids)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(there), f"{target} has no such heading"


def looks_like_a_file(span):
    if not re.fullmatch(r"[\w./*\[\]-]+", span) or ELSEWHERE.fullmatch(span):
        return False
    return "." + span.rpartition(".")[2] in NAMED or span.endswith((".[ch]", "/"))


@pytest.mark.parametrize("path", documents(), ids=document_ids)
def test_files_named_exist(path):
    for span in filter(looks_like_a_file, code_spans(path)):
        pattern = span.rstrip("/").removeprefix("../")
        assert any(any(folder.glob(pattern)) for folder in (path.parent, ROOT)) or (
            "/" not in pattern and any(each.match(pattern) for each in files())
        ), f"{span} is not there"


def test_targets_named_exist():
    targets = set(re.findall(r"^([a-z][\w-]*)(?: [a-z-]+)*:(?!=)", makefile(), re.MULTILINE))
    targets |= {f"{prefix}-{arch}" for prefix in ("all", "check-system") for arch in ("i386", "ppc")}
    for path in documents():
        for span in code_spans(path):
            words = span.split()
            if words[:1] == ["make"]:
                for word in words[1:]:
                    assert "=" in word or "/" in word or word in targets, f"{path.name}: {span}"


def makefile():
    return "".join(path.read_text() for path in [ROOT / "Makefile", *ROOT.glob("mk/*.mk")])


def argument_rows():
    """Returns the rows of the tables: names with values, default."""
    table = (ROOT / "docs/running.md").read_text().partition("## Boot arguments")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (`.*) \|$", table, re.MULTILINE):
        cells = [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\) ?\| ?", row)]
        yield re.findall(r"`([^`]*)`", cells[0]), cells[-1]


def test_boot_arguments():
    """Compares the tables with boot/arguments.c: names, choices, and defaults."""
    source = (ROOT / "boot/arguments.c").read_text()
    helps = dict(re.findall(r'^    \{"(\w+)", parse_\w+, [^"\n]*?(?:NULL|"([^"]*)"),', source,
                            re.MULTILINE))
    defaults = dict(re.findall(r"^    \.(\w+) = (\d+),", source, re.MULTILINE))
    seen = []
    for spans, default in argument_rows():
        names = [span.partition("=")[0] for span in spans]
        seen += names
        numbers = re.findall(r"\d+", default)
        for name, span in zip(names, spans):
            choices = span.partition("=")[2].split("|")
            if len(choices) > 1:
                assert set(choices) == set(helps[name].split("|")), name
        if [name for name in names if name in defaults] == names and numbers:
            assert [defaults[name] for name in names] == numbers, f"the default of {names}"
    assert len(helps) > 20
    assert sorted(seen) == sorted(helps)


def test_features_name_tests_that_exist():
    """docs/features.md: FILE: `test`, `test`; FILE: all."""
    for cell in re.split(r"[|\n]", (ROOT / "docs/features.md").read_text()):
        name = None
        for word in re.findall(r"`([\w./-]+)`", cell):
            if re.fullmatch(r"(tests/\w+/)?test_\w+\.(c|py)", word):
                folder, _, name = word.rpartition("/")
                folder = folder or ("tests/unit" if name.endswith(".c") else "tests/system")
                text = (ROOT / folder / name).read_text()
            elif name:
                assert re.search(rf"\b{word}\b", text) or word in (
                    "legacy", "modern", "poll", "hybrid"), f"{name} has no {word}"


def test_hypervisors_name_tests_that_exist():
    """docs/hypervisors.md: `FILE`, or `FILE::test`."""
    names = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", (ROOT / "docs/hypervisors.md").read_text())
    assert len(names) > 15
    for name, test in names:
        assert f"def {test}(" in (ROOT / "tests/system" / name).read_text() or not test, f"{name} has no {test}"


@pytest.mark.parametrize("name, document", [
    ("tests/guest/port.c", "docs/porting.md"), ("tests/unit/port.c", "docs/porting.md"),
    ("tests/unit/port_smp.c", "docs/porting.md"),
    ("tests/system/test_hello.py", "tests/README.md")])
def test_listing_is_the_file(name, document):
    assert (ROOT / name).read_text() in (ROOT / document).read_text()


@pytest.mark.parametrize("document, start", [("README.md", "static"), ("docs/porting.md", "struct card")])
def test_code_of_a_document(tmp_path, document, start):
    """Compiles README's code and the loop over several devices."""
    code, = (block.text for block in blocks() if block.document == document and block.kind == "c"
             and block.text.startswith(start))
    (tmp_path / "library.c").write_text('#include "virtio/virtio_net.h"\n'
                                        '#include "virtio/virtio_pci.h"\n' + code)
    done = subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT}",
                           "library.c"], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def is_source(path):
    if path.suffix in SOURCES or path.name in ("Makefile", "Doxyfile"):
        return True
    return path.suffix == "" and path.read_bytes().startswith(b"#!")


def test_sources_name_the_licence():
    sources = [path for path in files() if is_source(path)]
    assert len(sources) > 200
    without = [str(path.relative_to(ROOT)) for path in sources
               if LICENCE not in "\n".join(path.read_text().splitlines()[:3])]
    assert not without
    assert "Redistribution and use in source and binary forms" in (ROOT / "LICENSE").read_text()


def test_changes_are_kept():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## \[Unreleased\]$", text, re.MULTILINE)
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_manuals_are_within_reach():
    """Each document can be reached from README by links."""
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += [(path.parent / name).resolve() for name in
                        re.findall(r"\]\(([^)#\s:]+\.md)[^)]*\)", prose(path))]
    assert not set(manuals()) - reached


def test_doxygen_has_nothing_to_warn_of():
    if not shutil.which("doxygen"):
        pytest.skip("doxygen is missing: ./setup docs installs it")
    done = subprocess.run(["make", "--no-print-directory", "docs"], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    assert (ROOT / "build/docs/html/index.html").exists()
