#!/usr/bin/env python3
"""Holds the rooms against the one-definition rule, which no compiler checks and no linker reports.

    one_definition.py SRC LIBRARIES     SRC/ROOM/*.{h,cc}; the rooms' static libraries lie below LIBRARIES
    one_definition.py --self-test CXX   plants each violation and sees that it is found

Two rooms that define a class (or an inline function) of one name in one namespace make a program in which some calls
run the other room's code. Found are
  * a class, struct, enum or union, a template of one, or an inline variable that two files define at namespace scope,
    unnamed namespaces excepted;
  * a symbol that two rooms' libraries define as their own (strong);
  * an inline function or template that two rooms' libraries hold (weak) and that two files define.
A header that two rooms include is one file, and fine.
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

NAMESPACE = re.compile(r"^(?:inline )?namespace\s*([\w:]*)\s*\{(\s*\})?")
END = re.compile(r"^\}\s*// namespace")
CLASS = re.compile(r"^(?:template\s*<.*>\s*)?(?:class|struct|union|enum(?: class| struct)?)\s+(?:\[\[.*?\]\]\s*|alignas\(.*?\)\s*)?(\w+(?:::\w+)*)")
FUNCTION = re.compile(r"^(?:\[\[\w+\]\] )?(?:template|inline|constexpr)\b.*?\b(\w+)\(")
VARIABLE = re.compile(r"^(?:template\s*<.*>\s*)?(?:inline constexpr|constexpr inline|inline const|inline)\s[^(){}=;]*?\b(\w+)\s*(?:\[[^\]]*\]\s*)?(?:=|\{|;)")
SPECIAL = re.compile(r"^(?:vtable|typeinfo|typeinfo name|VTT|guard variable) for ")


def definitions(source):
    """(qualified name, one in all rooms) of what a file defines at namespace scope with vague linkage."""
    spaces, template = [], ""
    for line in source.read_text(encoding="utf-8").splitlines():
        if found := NAMESPACE.match(line):
            if not found.group(2):
                spaces.append(found.group(1))
            continue
        if END.match(line):
            spaces and spaces.pop()
            continue
        if line.startswith("template"):  # its declaration may follow on the next line
            template = line if line.rstrip().endswith(">") else ""
        elif template and line[:1].strip():
            line, template = f"{template} {line}", ""
        if "" in spaces:
            continue
        scope = "::".join(spaces)
        if (found := CLASS.match(line)) and not line.rstrip().endswith(";"):
            yield f"{scope}::{found.group(1)}", True
        elif found := VARIABLE.match(line):
            yield f"{scope}::{found.group(1)}", True
        elif (found := FUNCTION.match(line)) and not line.rstrip().endswith(";"):
            yield f"{scope}::{found.group(1)}", False


def symbols(library):
    """(kind, demangled name) of what a static library defines for others."""
    out = subprocess.run(["nm", "-C", "--defined-only", "--extern-only", library], check=True, capture_output=True, text=True)
    for line in out.stdout.splitlines():
        words = line.split(" ", 2)
        if len(words) == 3 and re.fullmatch("[0-9a-f]+", words[0]):
            yield words[1], words[2]


def owner(symbol, classes, functions):
    """The files that define what a weak symbol belongs to; none for what is not ours."""
    name = re.sub(r"\[abi:\w+\]", "", SPECIAL.sub("", symbol))
    if "(anonymous namespace)" in name:
        return set()
    name = re.split(r"[(<]", name[name.find("fogline::"):] if "fogline::" in name.split("(")[0] else "", maxsplit=1)[0]
    parts = name.split("::")
    for end in range(1, len(parts) + 1):
        scope = "::".join(parts[:end])
        if scope in classes:
            return classes[scope]
    return functions.get(name, set())


def check(src, libraries):
    classes, functions, complaints = defaultdict(set), defaultdict(set), []
    for source in sorted(src.glob("*/*")):
        if source.suffix in (".h", ".cc") and not source.name.endswith("_test.cc"):
            for name, is_class in definitions(source):
                (classes if is_class else functions)[name].add(source.relative_to(src))
    for name, files in sorted(classes.items()):
        if len(files) > 1:
            complaints.append(f"{name} is defined in {' and '.join(map(str, sorted(files)))}")
    strong, weak = defaultdict(set), defaultdict(set)
    found = sorted(libraries.glob("**/libfogline_*.a"))
    if len(found) < 2:
        complaints.append(f"{libraries}: no libraries of rooms; build them first")
    for library in found:
        for kind, name in symbols(library):
            (weak if kind in "WVuvw" else strong)[name].add(library.name)
    for name, where in sorted(strong.items()):
        if len(where) > 1:
            complaints.append(f"{name} is in {' and '.join(sorted(where))}")
    for name, where in sorted(weak.items()):
        files = owner(name, classes, functions) if len(where) > 1 else set()
        if len(files) > 1:
            complaints.append(f"{name} is in {' and '.join(sorted(where))}, defined in {' and '.join(map(str, sorted(files)))}")
    return complaints


PLANTED = {
    "one/a.h": "namespace fogline {\nstruct Same {\n  int x = 1;\n};\ntemplate <typename T>\nclass Box {\n  T x;\n};\n"
               "inline constexpr int kMost = 1;\ninline int Twice(int x) {\n  return 2 * x;\n}\n}  // namespace fogline\n",
    "two/b.h": "namespace fogline {\nstruct Same {\n  long x = 2;\n};\ntemplate <typename T>\nclass Box {\n  T* x;\n};\n"
               "inline constexpr int kMost = 2;\ninline int Twice(int x) {\n  return x + x + 1;\n}\n}  // namespace fogline\n",
    "one/a.cc": '#include "one/a.h"\nnamespace fogline {\nint (*one)(int) = Twice;\nint Strong() { return Same().x; }\n'
                "namespace {\nstruct Own {};\n}  // namespace\n}  // namespace fogline\n",
    "two/b.cc": '#include "two/b.h"\nnamespace fogline {\nint (*two)(int) = Twice;\nint Strong() { return int(Same().x); }\n'
                "namespace {\nstruct Own {};\n}  // namespace\n}  // namespace fogline\n",
}
EXPECTED = ["fogline::Box is defined in one/a.h and two/b.h", "fogline::Same is defined in one/a.h and two/b.h",
            "fogline::kMost is defined in one/a.h and two/b.h", "fogline::Strong() is in libfogline_one.a and libfogline_two.a",
            "fogline::Same::Same() is in libfogline_one.a and libfogline_two.a, defined in one/a.h and two/b.h",
            "fogline::Twice(int) is in libfogline_one.a and libfogline_two.a, defined in one/a.h and two/b.h"]


def self_test(compiler):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in PLANTED.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        for source in root.glob("*/*.cc"):
            subprocess.run([compiler, "-std=c++20", "-O0", "-I", root, "-c", source, "-o", source.with_suffix(".o")], check=True)
            subprocess.run(["ar", "rc", root / f"libfogline_{source.parent.name}.a", source.with_suffix(".o")], check=True)
        complaints = check(root, root)
    return [] if complaints == EXPECTED else [f"found {complaints}, not {EXPECTED}"]


def main():
    complaints = self_test(sys.argv[2]) if sys.argv[1] == "--self-test" else check(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(complaints), end="\n" if complaints else "")
    return 1 if complaints else 0


sys.exit(main())
