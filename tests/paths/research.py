"""docs/research.md, line by line: research.py SOURCE BUILD."""

import json
import sys
from pathlib import Path

from page import Reader

source, build = sys.argv[1:3]
with Reader(source, build, "docs/research.md", {}) as reader:
    home = reader.root / "machines/home"
    home.mkdir(parents=True)
    for name in ("models", "profiles", "scenarios"):
        (home / name).symlink_to(Path(source, name))
    said = reader.read()
    assert "Differences" in said and "95 % of resamples" in said, said
    pages = [home / "tables.html", home / "figures-4-and-5.html"]
    assert all("<svg" in page.read_text(encoding="utf-8") for page in pages), pages

    def best(name):
        return json.loads((home / f"{name}.json").read_text(encoding="utf-8"))["best"]

    # Figures 7a and 7b: a split wins at 160 pixels.
    for board, cut in (("jetson-nano-keras", "split6"), ("raspberry-pi-3b-plus-keras", "split3")):
        assert best(board)["route"].split(":")[1].startswith(cut), best(board)
    pairs = json.loads((home / "few.json").read_text(encoding="utf-8"))["pairs"]
    assert any(pair["codec"] == "q3" and pair["top1_accuracy"] is not None for pair in pairs), pairs
