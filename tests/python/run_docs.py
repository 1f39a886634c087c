"""The examples of a Markdown page, run as one session: run_docs.py PAGE. Blocks ```pycon are doctests."""

import doctest
import os
import sys
import tempfile
from pathlib import Path

page = Path(sys.argv[1]).resolve()
# Each block, with the page's line numbers kept and everything else blank.
text, inside = [], False
for line in page.read_text(encoding="utf-8").splitlines():
    if line.startswith("```"):
        inside = line == "```pycon"
        text.append("")
    else:
        text.append(line if inside else "")
test = doctest.DocTestParser().get_doctest("\n".join(text), {"source": os.environ["FOGLINE_SOURCE_DIR"]}, page.name, str(page), 0)
if len(test.examples) < 10:
    sys.exit(f"{page}: {len(test.examples)} examples found: the check is blind")
with tempfile.TemporaryDirectory() as folder:
    os.chdir(os.environ["FOGLINE_SOURCE_DIR"])
    os.environ["OUT"] = folder
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test)
sys.exit(1 if runner.failures else 0)
