#!/usr/bin/env python3
"""What is asked in one place is asked there alone: a second opinion is found by how it is written.

    opinions.py SRC            fails, naming each line that answers for itself, and each exception that is none any more
    opinions.py --self-test    the check itself on planted lines

Tests may do as they like. An exception is a file and why it may.
"""

import re
import sys
import tempfile
from pathlib import Path

RULES = [
    # pattern, what to do instead, {file or folder/: why it may}
    (r'[=!]= "(?:edge-only|cloud-only|split|input|output)"(?! \?)|"(?:edge-only|cloud-only)" [=!]=',
     "ask Cut::mechanism()",
     {"graph/": "where it is answered, and where such words are read",
      "cli/edge.cc": "words of its own flag --mechanism"}),
    (r"\bcuts?_?(?:\.front\(\)|\.back\(\)|\[0\])\.is_|\bcut\.index == |\bcut == 0\b",
     "ask Cut::mechanism(), or IndexOf for the end of a list",
     {}),
    (r"\bstd::thread\b(?!::)",
     "std::jthread ends and joins with its owner",
     {}),
    (r"(?<![\w:.>])close\(\w",
     "base/descriptor.h closes what it owns",
     {"base/": "the owner itself, and between fork and exec",
      "engine/last_words.cc": "within a signal's handler, where little may be called"}),
    (r'(?:\{\{?|,)\\"\w+\\":',
     "base/json_writer.h knows about commas, quotes and numbers that are none",
     {"edge/gpsd.cc": "gpsd's own words, as they are sent",
      "frame/json_frame.cc": "a tensor's text stands between its two members, as it is"}),
    (r"\b(?:split|Split)\w*\(.*'@'|find\('@'\)",
     "ParseRoute and ToString of codec/route.h are the text of a route",
     {"codec/route.cc": "where it is read",
      "base/url.cc": "logins of an address",
      "store/postgres_connection.cc": "logins of an address, which libpq takes apart otherwise"}),
]


def without_comment(line):
    return re.sub(r"^\s*//.*|\s//[^\"]*$", "", line)


def check(src, rules):
    complaints, used = [], set()
    for source in sorted(src.glob("*/*")):
        if source.suffix not in (".h", ".cc") or re.search(r"_test\.cc$|^test_", source.name):
            continue
        name = source.relative_to(src).as_posix()
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            code = without_comment(line)
            for rule, (pattern, instead, exceptions) in enumerate(rules):
                if not re.search(pattern, code):
                    continue
                reason = next((e for e in exceptions if name == e or e.endswith("/") and name.startswith(e)), None)
                if reason is None:
                    complaints.append(f"{name}:{number}: {instead}: {line.strip()}")
                used.add((rule, reason))
    for rule, (pattern, _, exceptions) in enumerate(rules):
        complaints += [f"{e} is an exception to nothing: {pattern}" for e in exceptions if (rule, e) not in used]
    return complaints


def self_test():
    rules = [(r"\bbad\b", "be good", {"two/": "it may", "three/": "it need not"})]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("one/a.cc", "one/a_test.cc", "two/b.h", "three/c.cc"):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text("// bad\nint bad;\nint x;  // bad\n" if name[0] != "t" or "two" in name else "int x;\n")
        found = check(root, rules)
    expected = ["one/a.cc:2: be good: int bad;", r"three/ is an exception to nothing: \bbad\b"]
    return [] if found == expected else [f"found {found}, not {expected}"]


def main():
    complaints = self_test() if sys.argv[1] == "--self-test" else check(Path(sys.argv[1]), RULES)
    print("\n".join(complaints), end="\n" if complaints else "")
    return 1 if complaints else 0


sys.exit(main())
