"""The notebooks of examples/, cell by cell, as a notebook runs them."""

import ast
import json
import os
from pathlib import Path

import pytest

SOURCE = Path(os.environ["FOGLINE_SOURCE_DIR"])


def shown(cell, space):
    """Runs a cell and gives what the notebook would show under it."""
    tree = ast.parse(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), space)


def outputs(name):
    notebook = json.loads((SOURCE / "examples" / name).read_text(encoding="utf-8"))
    space = {}
    return [shown("".join(cell["source"]), space) for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch):
    monkeypatch.chdir(SOURCE)


def test_figure_7a_comes_out():
    plan, best = outputs("figure7.ipynb")
    assert plan._repr_html_().count("&lt;svg") >= 3
    assert set(best) == {"cloud-only", "split", "edge-only"}
    assert best["split"][1] < min(best["edge-only"][1], best["cloud-only"][1])  # as the paper found


def test_a_sweep_is_a_table():
    first, bests = outputs("sweep.ipynb")
    assert len(first) == 3 and len({tuple(record) for record in first}) == 1
    for codecs in {key[1] for key in bests}:
        times = [ms for (_, which), (_, ms) in sorted(bests.items(), key=lambda item: item[0][0]) if which == codecs]
        assert times == sorted(times, reverse=True)
