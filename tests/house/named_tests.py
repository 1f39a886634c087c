#!/usr/bin/env python3
"""The tests that documents name are there, and each defence of SECURITY.md names one.

    named_tests.py ROOT        fails, naming each that is missing
    named_tests.py --self-test the check itself on planted documents

A name is `Suite.Test`, `Suite.*`, `Suite.Begin…` or, of the suite named last in its line, `…End`; a file or folder counts as a test too.
"""

import re
import sys
import tempfile
from pathlib import Path

MACRO = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+),\s*(\w+)\)", re.M)
NAME = re.compile(r"(?:[*\w]*/)?([*A-Z][*\w]*)\.(\*|[A-Z]\w*(?:…|\*|/…)?)")
OTHERS = {"TensorProto"}  # that look like suites
TABLE = "## What is defended, where, and what tests it"


def tests_of(root):
    tests = {}
    for folder in ("src", "tests"):
        for source in (root / folder).rglob("*_test.cc"):
            for suite, test in MACRO.findall(source.read_text(encoding="utf-8")):
                tests.setdefault(suite, set()).add(test)
    return tests


def matches(pattern, text):
    return re.fullmatch(re.sub(r"\\\*|…|/…", ".*", re.escape(pattern)), text)


def exists(suite, test, tests):
    return any(matches(suite, s) and any(matches(test, t) for t in tests[s]) for s in tests)


def names_in(text):
    """(as written, suite, test) of each in backticks, in order."""
    suite = None
    for word in re.findall(r"`([^`\n]+)`", text):
        full = NAME.fullmatch(word)
        if full and full[1] not in OTHERS:
            suite = full[1]
            yield word, suite, full[2]
        elif suite and re.fullmatch(r"…[A-Z]\w*…?", word):
            yield word, suite, word


def is_file(word, root):
    if "*" in word or not re.fullmatch(r"[\w./-]+", word):
        return False
    return (root / word).exists() or ("/" not in word and any((root / "src").rglob(word)))


def check(root):
    tests, complaints = tests_of(root), []
    for document in [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md"))]:
        name = document.relative_to(root).as_posix()
        if name == "CHANGELOG.md":  # of its day
            continue
        for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            for word, suite, test in names_in(line):
                if not exists(suite, test, tests):
                    complaints.append(f"{name}:{number}: there is no test {word}")
    security = root / "SECURITY.md"
    rows = security.read_text(encoding="utf-8").split(TABLE, 1)[-1].split("\n## ")[0].splitlines()
    rows = [row for row in rows if row.startswith("| ")][1:]
    for row in rows:
        attempt, *_, test = [cell.strip() for cell in row.strip("|").split(" | ")]
        known = any(True for _ in names_in(test)) or any(is_file(word, root) for word in re.findall(r"`([^`]+)`", test))
        if not known and test != "the same":
            complaints.append(f"SECURITY.md: no test of: {attempt}")
    if not rows:
        complaints.append(f"SECURITY.md: has no table behind '{TABLE}'")
    return complaints


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("src/room", "tests/line", "docs", "fuzz"):
            (root / name).mkdir(parents=True)
        (root / "src/room/a_test.cc").write_text("TEST(Suite, Works) {}\nTEST_F(Other,\n       HoldsFast) {}\n")
        head = f"{TABLE}\n\n| attempt | defence | test |\n|---|---|---|\n"
        good = "| a | b | `Suite.Works`, `Other.Holds…`, `…Holds…` |\n| c | d | `fuzz/` |\n| e | f | the same |\n"
        (root / "SECURITY.md").write_text(head + good)
        assert check(root) == [], check(root)
        (root / "SECURITY.md").write_text(head + good + "| g | h | |\n| i | j | `Suite.Fails`, `…Works` |\n")
        (root / "docs/a.md").write_text("See `Nobody.*` and `Suite.*` of `std::string.Foo`.\n")
        found = check(root)
        assert len(found) == 3, found
        assert "no test of: g" in found[2] and "Suite.Fails" in found[0] and "docs/a.md:1" in found[1], found


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
        sys.exit(0)
    problems = check(Path(sys.argv[1]))
    print("\n".join(problems))
    sys.exit(1 if problems else 0)
