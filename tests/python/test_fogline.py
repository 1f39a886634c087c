"""`import fogline` as a researcher would, and what must be refused by name."""

import dataclasses
import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fogline

SOURCE = Path(os.environ["FOGLINE_SOURCE_DIR"])
MODEL, BUNDLE, DEMO = SOURCE / "models/litter.onnx", SOURCE / "models/litter.bundle", SOURCE / "models/demo"
PLACES = ("raspberry-pi-3b-plus", "t2.micro", "4g")


@pytest.fixture(scope="module")
def model():
    return fogline.Model.load(MODEL)


@pytest.fixture(scope="module")
def picture(model):
    return model.read_picture(DEMO / "walk_01.jpg")


def test_halves_find_what_the_whole_finds(model, picture):
    whole = model.run(picture)
    found = model.judge(whole, picture)
    assert found.kind == "classes" and 0 <= found.score <= 1
    for cut in model.cuts()[1:-1:9]:
        halves = model.split(cut)
        crossing = halves.edge.open().run(picture.input)
        assert [t.name for t in cut.tensors] == list(crossing)
        outputs = halves.cloud.open().run(crossing)
        assert model.judge(outputs, picture).label == found.label
        np.testing.assert_allclose(outputs[model.outputs[0].name], whole[model.outputs[0].name], atol=1e-4)
    assert model.check_split("split10").holds


def test_a_piece_goes_on_from_any_tensor(model, picture):
    at = model.run(picture, end="split6")
    rest = model.run(at, begin="split6")
    np.testing.assert_allclose(rest[model.outputs[0].name], model.run(picture)[model.outputs[0].name], atol=1e-4)
    with pytest.raises(fogline.Error, match="needs its input 'image'") as caught:
        model.piece("split6", "split5")
    assert caught.value.code == "usage"


def test_pieces_are_onnx_files(model, tmp_path):
    edge = model.split("split10").edge
    edge.save(tmp_path / "edge.onnx")
    assert (tmp_path / "edge.onnx").read_bytes() == bytes(edge) and len(edge) == len(bytes(edge))
    assert fogline.Model.load(tmp_path / "edge.onnx").outputs[0].name == model.cut("split10").tensors[0].name


def test_records_make_tables(model):
    cuts = model.cuts()
    assert cuts[0].mechanism == "cloud-only" and cuts[-1].mechanism == "edge-only"
    assert all(c.edge_madds + c.cloud_madds == model.madds for c in cuts)
    assert sum(layer.madds for layer in model.layers()) == model.madds
    assert model.cut(3) == cuts[3] and model.cut(cuts[3].name) == cuts[3]
    columns = [field.name for field in dataclasses.fields(cuts[0])]  # as pandas.DataFrame names them
    assert columns[:3] == ["index", "name", "alias"] and dataclasses.asdict(cuts[3])["tensors"][0]["dtype"] == "float32"


def test_outputs_are_the_engines_memory_and_outlive_it(model, picture):
    session = model.split("split10").edge.open()
    (output,) = session.run(picture.input).values()
    before = output.copy()
    assert not output.flags.owndata  # a view of what the engine gave
    session.close()
    del session
    gc.collect()
    np.testing.assert_array_equal(output, before)


def test_other_layouts_are_copied_and_other_types_refused(model, picture):
    session = model.piece().open()
    name = session.outputs[0].name
    wanted = session.run(picture.input)[name]
    big = picture.input.astype(">f4")
    assert not big.dtype.isnative
    strided = np.repeat(picture.input, 2, axis=3)[:, :, :, ::2]
    assert not strided.flags.c_contiguous
    fortran = np.asfortranarray(picture.input)
    reversed_twice = picture.input[..., ::-1].copy()[..., ::-1]
    for array in (big, strided, fortran, reversed_twice):
        np.testing.assert_array_equal(session.run(array)[name], wanted)
    for wrong in (picture.input.astype(np.float64), picture.input[0], picture.input[:, :1], np.zeros(0, np.float32)):
        with pytest.raises(fogline.Error, match="image"):
            session.run(wrong)
    for strange in (np.array("text"), np.array([object()]), np.zeros(3, np.complex64), np.zeros(2, "datetime64[s]")):
        with pytest.raises(TypeError, match="dtype"):
            session.run(strange)
    with pytest.raises(KeyError, match="imago"):
        session.run({"imago": picture.input})
    with pytest.raises(KeyError, match="image"):
        session.run({})
    with pytest.raises(fogline.Error):
        session.run([])


def test_codecs_from_many_threads(model, picture):
    calibration = model.calibration(BUNDLE)
    (tensor,) = model.run(picture, end="split13").values()
    codec = model.codec("q4", "split13", calibration)
    code = codec.encode(tensor)
    assert len(code) < tensor.nbytes / 4
    results = []

    def work():
        for _ in range(20):
            results.append(codec.encode(tensor) == code and codec.decode(code).shape == tensor.shape)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 80
    for damaged in (b"", code[:-1], code[: len(code) // 2], memoryview(code)[::2]):
        with pytest.raises((fogline.Error, ValueError)):
            codec.decode(damaged)
    with pytest.raises(fogline.Error):
        codec.encode(tensor[:, :1])
    assert codec.decode(bytearray(code)).tobytes() == codec.decode(code).tobytes()


def test_a_codec_like_an_array():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    codec = fogline.Codec.like("f32", array)
    np.testing.assert_array_equal(codec.decode(codec.encode(array)), array)
    with pytest.raises(fogline.Error, match="calibration"):
        fogline.Codec.like("q4", array)
    with pytest.raises(TypeError):
        fogline.Codec.like("f32", np.zeros(2, np.complex64))


def test_a_plan_is_the_best_of_its_candidates(model):
    plan = fogline.plan(model, *PLACES, strict=True)
    usable = [c for c in plan.candidates() if c.runnable and not c.violates]
    assert plan.best.objective == min(c.objective for c in usable)
    assert plan.report()["best"]["route"] == plan.best.route
    steps = plan.envelope()
    assert all(a.to_mbps == b.from_mbps for a, b in zip(steps, steps[1:]))
    assert plan._repr_html_().startswith("<iframe") and "<svg" in model._repr_html_().replace("&lt;", "<")
    with pytest.raises(fogline.Error) as caught:
        fogline.plan(model, *PLACES, max_latency_ms=0.001)
    assert caught.value.code == "conflict" and caught.value.where == "--max-latency"
    with pytest.raises(fogline.Error, match="did you mean"):
        fogline.plan(model, "raspberry-pie", *PLACES[1:])
    with pytest.raises(TypeError):
        fogline.plan(model, *PLACES, max_latency=3)
    assert PLACES[0] in fogline.machines() and PLACES[2] in fogline.links()


def test_a_fleet_is_what_its_groups_are():
    fleet = fogline.cost(SOURCE / "scenarios/million.toml")
    assert sum(g.devices for g in fleet.groups) == fleet.devices == fleet.report["devices"]
    with pytest.raises(fogline.Error, match="nowhere.toml"):
        fogline.cost("/nowhere.toml")


def test_calibrating_tells_and_stops(model, tmp_path):
    told = []
    found = fogline.calibrate(model, DEMO, cuts="split13", levels=[4], most_pictures=4, progress=told.append)
    assert told == sorted(told) and told[-1] == 1
    assert {p.codec for p in found.pairs()} >= {"f16", "q4"} and "<svg" in found._repr_html_()
    found.save(tmp_path / "a.bundle")
    assert model.calibration(tmp_path / "a.bundle").pairs() == found.pairs()

    class Enough(Exception):
        pass

    def stop(done):
        raise Enough

    with pytest.raises(Enough):
        fogline.calibrate(model, DEMO, cuts="split13", progress=stop)
    with pytest.raises(fogline.Error, match="2 to 8"):
        fogline.calibrate(model, DEMO, levels=[9])


def test_control_c_ends_a_calibration(model):
    """A signal that comes while the library works is Python's KeyboardInterrupt soon after."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell runs the tests in the background
    try:
        with pytest.raises(KeyboardInterrupt):
            fogline.calibrate(model, DEMO, cuts=["split1", "split13"], progress=lambda done: os.kill(os.getpid(), signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)


def test_profiles_are_what_plans_take(model, tmp_path):
    with pytest.raises(ZeroDivisionError):
        fogline.profile(model, seconds=0.1, progress=lambda done: 1 / 0)
    model.split("split13").cloud.save(tmp_path / "rest.onnx")
    (crossing,) = model.cut("split13").tensors
    rest = fogline.Model.load(tmp_path / "rest.onnx", shapes={crossing.name: crossing.shape})
    profile = fogline.profile(rest, seconds=0.05)
    profile.save(tmp_path / "here.json")
    assert [c.cut_name for c in profile.cuts] == [c.name for c in rest.cuts()]
    assert fogline.plan(rest, str(tmp_path / "here.json"), *PLACES[1:]).best.latency_ms > 0


def test_closed_sessions_and_missing_files(model, picture, tmp_path):
    with model.piece().open() as session:
        session.run(picture.input)
    with pytest.raises(ValueError, match="closed"):
        session.run(picture.input)
    with pytest.raises(fogline.Error) as caught:
        fogline.Model.load(tmp_path / "none.onnx")
    assert caught.value.code == "not found" and "none.onnx" in caught.value.where
    (tmp_path / "no.onnx").write_bytes(b"no model at all")
    with pytest.raises(fogline.Error):
        fogline.Model.load(tmp_path / "no.onnx")
    with pytest.raises(TypeError):
        fogline.Model.load(None)


def test_nothing_is_printed(tmp_path):
    code = f"import fogline; m = fogline.Model.load({str(MODEL)!r}); fogline.plan(m, *{PLACES!r})"
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_types_hold(tmp_path):
    mypy = pytest.importorskip("mypy.api")
    use = tmp_path / "use.py"
    use.write_text(
        "import fogline\nimport numpy as np\n"
        "model = fogline.Model.load('a.onnx', shapes={'x': (1, 3)})\n"
        "outputs: dict[str, fogline.Array] = model.run(np.zeros((1, 3), np.float32), end=['a', 'b'])\n"
        "best: float = fogline.plan(model, 'a', 'b', 'c', max_cost=3).best.latency_ms\n"
    )
    package, cache = Path(fogline.__file__).parent, ("--cache-dir", str(tmp_path / "cache"))
    out, err, status = mypy.run(["--strict", *cache, str(package), str(use)])
    assert status == 0, out + err
    use.write_text("import fogline\nfogline.plan('model', 'a', 'b', 'c')\nfogline.Model.load('a').cuts(al=True)\n")
    out, err, status = mypy.run(["--strict", *cache, str(package), str(use)])
    assert status == 1 and out.count("error:") == 2, out + err
