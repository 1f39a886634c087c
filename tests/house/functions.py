#!/usr/bin/env python3
"""No function of src/ is longer than a screen: 80 lines from its name to its closing brace.

    functions.py SRC            fails, naming each that is longer
    functions.py --self-test    the check itself on a planted one

Braces are counted; what is no namespace, class or initialiser and has parentheses before its brace is a function.
"""

import re
import sys
import tempfile
from pathlib import Path

MOST = 80
NOISE = re.compile(r'R"(\w*)\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'')
OTHER = re.compile(r"\b(namespace|class|struct|enum|union|extern)\b[^()]*$")
MEMBER = re.compile(r"\)[\s\w]*:\s[^;]*[\w>]$")  # A(int x) : a_{x}
CALL = re.compile(r"\)\s*(const|noexcept|override|final|mutable|&|\s|->[^;{}]*|:[^;]*)*$")


def blank(match):
    """Comments and texts become blanks, their lines stay."""
    return re.sub(r"[^\n]", " ", match[0])


def functions(text):
    """(first line, last line, head) of each outermost function."""
    text = re.sub(r"^#(?:.*\\\n)*.*$", blank, NOISE.sub(blank, text), flags=re.M)
    stack, begin = [], 0  # of functions: where its head begins; -1: a member's initialiser; else None
    for at, char in enumerate(text):
        if char == "{":
            head = text[begin:at]
            outer = any(entry is not None for entry in stack)
            if not outer and MEMBER.search(head.rstrip()):
                stack.append(-1)
                continue
            is_function = not outer and not OTHER.search(head) and CALL.search(head.rstrip())
            stack.append(begin + len(head) - len(head.lstrip()) if is_function else None)
            begin = at + 1
        elif char == "}" and stack:
            start = stack.pop()
            if start == -1:
                continue
            if start is not None:
                yield text.count("\n", 0, start) + 1, text.count("\n", 0, at) + 1, text[start:].split("{")[0]
            begin = at + 1
        elif char == ";":
            begin = at + 1


def complaints(folder):
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".cc", ".h") and not p.name.endswith("_test.cc"))
    seen, bad = 0, []
    for file in files:
        for first, last, head in functions(file.read_text()):
            seen += 1
            if last - first + 1 > MOST:
                name = re.search(r"[\w:~]+(?=\()", head)
                bad.append(f"{file}:{first}: {name[0] if name else '?'} has {last - first + 1} lines, more than {MOST}")
    return seen, bad


def self_test():
    long = "int y = 0;\n" * (MOST - 2)
    with tempfile.TemporaryDirectory() as name:
        for body, wanted in ((long, 0), (long + "int z;\n", 1)):
            for head in ("int f(int x) {\n", "namespace n {\nA::A(int x) : a_{x}, b_(2) {\n", "class C {\nauto f() const -> int {\n"):
                text = head + body + "}\n" + "}\n" * (head.count("{") - 1 - head.count("a_{"))
                (Path(name) / "a.cc").write_text("// {\n" + text)
                seen, bad = complaints(Path(name))
                if seen != 1 or len(bad) != wanted:
                    return [f"finds {bad} of {seen} in:\n{head}"]
    return []


def main():
    if sys.argv[1] == "--self-test":
        bad = self_test()
    else:
        seen, bad = complaints(Path(sys.argv[1]))
        if seen < 500:
            bad.append(f"only {seen} functions found: the check is blind")
    print("\n".join(bad))
    return 1 if bad else 0


sys.exit(main())
