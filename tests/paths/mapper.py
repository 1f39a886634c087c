"""docs/mapper.md, line by line: mapper.py SOURCE BUILD. The phone's pictures are the demo's, its backbone our own model."""

import csv
import json
import shutil
import sys
import urllib.request
from pathlib import Path

from page import Reader, free_port

source, build = sys.argv[1:3]
broker, http = free_port(), free_port()


def copy(pictures, folder):
    folder.mkdir(parents=True)
    for picture in pictures:
        shutil.copy(picture, folder)


def ask(what):
    with urllib.request.urlopen(f"http://127.0.0.1:{http}{what}") as answer:
        return answer.read().decode()


with Reader(source, build, "docs/mapper.md", {
        "mosquitto -p 1883": f"mosquitto -p {broker}",
        "127.0.0.1:8080": f"127.0.0.1:{http}",
        "fogline cloud": f"fogline cloud --broker mqtt://127.0.0.1:{broker}",
        "fogline edge": f"fogline edge --broker mqtt://127.0.0.1:{broker}"}) as reader:
    home = reader.root / "machines/home"
    demo = Path(source, "models/demo")
    with open(demo / "labels.tsv", encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    for i, folder in enumerate(("labelled", "checked")):
        for label in ("clean", "litter"):
            copy([demo / row["file"] for row in rows[i::2] if row["label"] == label], home / folder / label)
    pictures = sorted(demo.glob("*.jpg"))
    copy(pictures[:5], home / "phone/DCIM/100")
    copy(pictures[5:8], home / "phone/DCIM/101")
    shutil.copy(Path(source, "models/litter.onnx"), home / "mobilenet_v2.onnx")
    said = reader.read()
    assert "accuracy" in said, said
    assert (home / "mistakes.html").stat().st_size > 10_000
    stored = json.loads(ask("/api/detections?limit=100"))["detections"]
    assert len(stored) == 8 and {row["device"] for row in stored} == {"me"}, stored
    week = (home / "week.csv").read_text(encoding="utf-8").splitlines()
    assert "label" in week[0].split(",") and "lat" in week[0].split(","), week
