"""Fogline draws the line between edge and cloud through a CNN: models cut in two and run, activations coded, lines planned.

Failures raise fogline.Error, whose code, where and message say what is at fault. Lists of records are lists of dataclasses:
pandas.DataFrame(model.cuts()) is a table. All that takes long lets other threads run.
"""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _fogline
from ._fogline import Error

__version__ = _fogline.version
__all__ = [
    "Array", "Box", "Calibrated", "Calibration", "Candidate", "Codec", "Cut", "Error", "Findings", "FleetChoice", "FleetPlan", "Halves",
    "Layer", "Model", "Picture", "Piece", "Plan", "PlanStep", "Profile", "ProfiledCut", "Proof", "Session", "TensorSpec", "calibrate",
    "cost", "links", "machines", "plan", "profile",
]

Array = npt.NDArray[Any]
Path = Union[str, "os.PathLike[str]"]
Texts = Union[str, Iterable[str]]
Progress = Optional[Callable[[float], object]]


@dataclass(frozen=True)
class TensorSpec:
    """A tensor as a model declares it; a dimension of -1 may differ from run to run."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Cut:
    """A division of the layers: what crosses, and how much work lies on either side. `name` finds it again."""

    index: int
    name: str
    alias: str
    mechanism: str
    tensors: tuple[TensorSpec, ...]
    bytes: int
    edge_layers: int
    edge_madds: int
    cloud_madds: int
    edge_weight_bytes: int
    cloud_weight_bytes: int
    dominated: bool
    data_dependent: bool


@dataclass(frozen=True)
class Layer:
    name: str
    op: str
    outputs: tuple[TensorSpec, ...]
    madds: int
    params: int
    weight_bytes: int


@dataclass(frozen=True)
class Proof:
    """How two halves differ from the whole on random inputs; `holds`: no more than rounding explains."""

    max_abs: float
    max_rel: float
    bit_identical: bool
    holds: bool


@dataclass(frozen=True)
class Picture:
    """A picture made ready for a model, and its size in pixels."""

    input: Array
    width: int
    height: int


@dataclass(frozen=True)
class Box:
    """One object; x, y (the upper left corner), width and height are parts of the picture."""

    label: str
    score: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Findings:
    """What outputs mean by the model's card. `kind` says which of the lists is filled."""

    kind: str
    classes: list[tuple[str, float]]
    boxes: list[Box]
    shares: list[tuple[str, float]]
    numbers: list[tuple[str, float, str]]
    label: str
    score: float
    positive: bool


@dataclass(frozen=True)
class Calibrated:
    """What one codec at one cut costs and keeps."""

    cut: int
    cut_name: str
    codec: str
    bytes_mean: float
    bytes_p95: float
    agreement: Optional[float]
    top1_accuracy: Optional[float]
    relative_error: float


@dataclass(frozen=True)
class Candidate:
    """One cut with one codec, and what a picture costs that goes this way. `route` is what `fogline edge --route` takes."""

    cut: int
    cut_name: str
    alias: str
    mechanism: str
    codec: str
    route: str
    edge_ms: float
    encode_ms: float
    uplink_ms: float
    decode_ms: float
    cloud_ms: float
    downlink_ms: float
    latency_ms: float
    latency_p95_ms: float
    bytes: float
    energy_mj: float
    euro_month: float
    edge_memory_bytes: float
    objective: float
    agreement: Optional[float]
    runnable: bool
    violates: list[str]


@dataclass(frozen=True)
class PlanStep:
    """The best candidate between two uplinks."""

    from_mbps: float
    to_mbps: float
    candidate: int


@dataclass(frozen=True)
class ProfiledCut:
    """A cut's halves as they were timed; 0 where a half is empty."""

    cut_name: str
    prefix_ms: float
    prefix_p95_ms: float
    suffix_ms: float
    suffix_p95_ms: float


@dataclass(frozen=True)
class FleetChoice:
    """What one group runs, in euro a device and month, with a 90 % band."""

    group: str
    option: str
    edge: str
    devices: float
    hardware: float
    energy: float
    data: float
    cloud: float
    broker: float
    storage: float
    total: float
    low: float
    high: float


@dataclass(frozen=True)
class FleetPlan:
    title: str
    groups: list[FleetChoice]
    devices: float
    euro_month: float
    lower_bound_euro: float
    exact: bool
    instances: float
    uniform: str
    uniform_euro_month: float
    report: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Profile:
    """How long this machine takes for a model: save() it, and give the file to plan() as edge or cloud."""

    machine: str
    whole_ms: float
    whole_p95_ms: float
    cuts: list[ProfiledCut]
    text: str = field(repr=False)

    def save(self, path: Path) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.text)


def _specs(raw: Sequence[tuple[str, str, tuple[int, ...]]]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(*spec) for spec in raw)


def _cut(raw: dict[str, Any]) -> Cut:
    raw["tensors"] = _specs(raw["tensors"])
    return Cut(**raw)


def _texts(texts: Texts) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)


def _name(cut: Union[Cut, str, int]) -> str:
    return cut.name if isinstance(cut, Cut) else str(cut)


def _frame(page: str) -> str:
    """A page within a notebook's, whose style is left alone."""
    return f'<iframe srcdoc="{html.escape(page)}" style="width:100%;height:36em;border:0"></iframe>'


class Session:
    """An open network. Any number of threads may run it."""

    def __init__(self, raw: _fogline.Session) -> None:
        self._raw: Optional[_fogline.Session] = raw
        self.inputs = _specs(raw.inputs())
        self.outputs = _specs(raw.outputs())

    def run(self, inputs: Union[Array, Sequence[Array], Mapping[str, Array]]) -> dict[str, Array]:
        """Runs on one array an input: the only one, all in order, or by name. Arrays that are dense and in this machine's byte order
        are read in place, others are copied first; outputs are the engine's own memory. Other dtypes or shapes raise Error."""
        raw = self._raw
        if raw is None:
            raise ValueError("this session is closed")
        outputs = raw.run(_in_order(inputs, self.inputs))
        return {spec.name: array for spec, array in zip(self.outputs, outputs)}

    def close(self) -> None:
        """Gives the engine's memory back, once runs in other threads have ended."""
        self._raw = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _in_order(inputs: Union[Array, Sequence[Array], Mapping[str, Array]], specs: Sequence[TensorSpec]) -> list[Array]:
    if isinstance(inputs, np.ndarray):
        return [inputs]
    if isinstance(inputs, Mapping):
        names = [spec.name for spec in specs]
        for name in inputs:
            if name not in names:
                raise KeyError(f"'{name}' is no input: there are {', '.join(names)}")
        for name in names:
            if name not in inputs:
                raise KeyError(f"input '{name}' is missing")
        return [np.asarray(inputs[name]) for name in names]
    return [np.asarray(array) for array in inputs]


class Piece:
    """A piece of a model as ONNX of its own."""

    def __init__(self, raw: _fogline.Piece) -> None:
        self._raw = raw

    def __bytes__(self) -> bytes:
        return self._raw.bytes()

    def __len__(self) -> int:
        return self._raw.size()

    def save(self, path: Path) -> None:
        self._raw.save(os.fspath(path))

    def open(self, threads: int = 1, optimize: bool = True) -> Session:
        """threads=0: every core; optimize=False: no fusion, for comparisons bit by bit."""
        return Session(self._raw.open(threads, optimize))


@dataclass(frozen=True)
class Halves:
    edge: Piece
    cloud: Piece


class Codec:
    """Codes arrays of one dtype and shape. Of several threads on one codec, one waits for the other."""

    def __init__(self, raw: _fogline.Codec) -> None:
        self._raw = raw
        self.name = raw.name()
        self.tensor = TensorSpec(*raw.tensor())

    @staticmethod
    def like(name: str, array: Array) -> Codec:
        """'f32', 'f16' or 'json' for arrays of this dtype and shape."""
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"arrays of dtype {array.dtype} are none that networks take")
        return Codec(_fogline.Codec.make(name, _DTYPES[array.dtype.name], array.shape))

    def encode(self, array: Array) -> bytes:
        return self._raw.encode(array)

    def decode(self, code: bytes) -> Array:
        return self._raw.decode(code)


# As ONNX numbers them.
_DTYPES = {
    "float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11,
    "uint32": 12, "uint64": 13,
}


class Calibration:
    """What calibration found: the quantisers of q2 … q8, and a table."""

    def __init__(self, raw: _fogline.Calibration) -> None:
        self._raw = raw
        self.images = raw.images()

    def pairs(self) -> list[Calibrated]:
        return [Calibrated(*pair) for pair in self._raw.pairs()]

    def save(self, path: Path) -> None:
        """The .bundle that edge, cloud and plan read."""
        self._raw.save(os.fspath(path))

    def _repr_html_(self) -> str:
        return self._raw.svg()


class Model:
    """A loaded ONNX model with its card (MODEL.toml beside it)."""

    def __init__(self, raw: _fogline.Model) -> None:
        self._raw = raw
        self.path = raw.path()
        self.inputs = _specs(raw.inputs())
        self.outputs = _specs(raw.outputs())

    @staticmethod
    def load(
        path: Path, shapes: Optional[Mapping[str, Sequence[int]]] = None, values: Optional[Mapping[str, Sequence[float]]] = None
    ) -> Model:
        """`shapes` of inputs with open dimensions, `values` of inputs that choose a branch or a shape, both by the input's name."""
        return Model(_fogline.Model.load(os.fspath(path), dict(shapes or {}), dict(values or {})))

    @property
    def sha256(self) -> str:
        return self._raw.sha256()

    @property
    def madds(self) -> int:
        return self._raw.madds()

    @property
    def params(self) -> int:
        return self._raw.params()

    @property
    def weight_bytes(self) -> int:
        return self._raw.weight_bytes()

    @property
    def assumptions(self) -> list[str]:
        """One line for each open dimension whose size was assumed."""
        return self._raw.assumptions()

    def layers(self) -> list[Layer]:
        return [Layer(name, op, _specs(outputs), *rest) for name, op, outputs, *rest in self._raw.layers()]

    def cuts(self, all: bool = False) -> list[Cut]:
        """First cloud-only, last edge-only, between them every useful cut; with `all` those too that others dominate."""
        return [_cut(raw) for raw in self._raw.cuts(all)]

    def cut(self, spec: Union[str, int]) -> Cut:
        """A number, 'edge-only', 'cloud-only', 'split13', or the tensors that cross, as 'r30,r34'."""
        return _cut(self._raw.cut(str(spec)))

    def split(self, cut: Union[Cut, str, int]) -> Halves:
        edge, cloud = self._raw.split(_name(cut))
        return Halves(Piece(edge), Piece(cloud))

    def check_split(self, cut: Union[Cut, str, int]) -> Proof:
        """Runs the whole and both halves on random inputs."""
        return Proof(*self._raw.check_split(_name(cut)))

    def piece(self, begin: Texts = (), end: Texts = ()) -> Piece:
        """What leads from some tensors to others, cuts or not; by default from the model's inputs to its outputs."""
        return Piece(self._raw.piece(_texts(begin), _texts(end)))

    def run(
        self, inputs: Union[Picture, Array, Sequence[Array], Mapping[str, Array]], begin: Texts = (), end: Texts = ()
    ) -> dict[str, Array]:
        """Runs a piece once; open it to run it often."""
        arrays = inputs.input if isinstance(inputs, Picture) else inputs
        return self.piece(begin, end).open().run(arrays)

    def read_picture(self, path: Path) -> Picture:
        """A picture file as what the model takes, as its card says."""
        return Picture(*self._raw.read_picture(os.fspath(path)))

    def judge(self, outputs: Mapping[str, Array], picture: Picture) -> Findings:
        """What the whole network's outputs say of that picture."""
        raw = self._raw.judge(_in_order(outputs, self.outputs), picture.width, picture.height)
        raw["boxes"] = [Box(*box) for box in raw["boxes"]]
        return Findings(**raw)

    def calibration(self, path: Path) -> Calibration:
        return Calibration(_fogline.Calibration.load(self._raw, os.fspath(path)))

    def codec(self, name: str, cut: Union[Cut, str, int], calibration: Calibration, tensor: int = 0) -> Codec:
        """A codec, q2 … q8 among them, for one of the tensors that cross at a cut."""
        return Codec(_fogline.Codec.of_cut(name, self._raw, _name(cut), tensor, calibration._raw))

    def __repr__(self) -> str:
        return f"<fogline.Model {self.path}: {self.params:,} parameters, {self.madds:,} MAdds>"

    def _repr_html_(self) -> str:
        return _frame(self._raw.html())


class Plan:
    """A plan with its proof."""

    def __init__(self, raw: _fogline.Plan) -> None:
        self._raw = raw
        self.best = Candidate(**raw.best())

    def candidates(self) -> list[Candidate]:
        """Every allowed cut with every allowed codec."""
        return [Candidate(**raw) for raw in self._raw.candidates()]

    def envelope(self) -> list[PlanStep]:
        """What is cheapest at every uplink, slowest first."""
        return [PlanStep(*step) for step in self._raw.envelope()]

    @property
    def lower_bound(self) -> float:
        return self._raw.lower_bound()

    @property
    def proof(self) -> str:
        return self._raw.proof()

    def report(self) -> dict[str, Any]:
        """All of it, as `fogline plan --json` prints it."""
        report: dict[str, Any] = json.loads(self._raw.json())
        return report

    def policy(self) -> str:
        """What `fogline edge --mechanism auto --policy-file` reads."""
        return self._raw.policy()

    def save(self, path: Path) -> None:
        """The page with the charts."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self._raw.html())

    def __repr__(self) -> str:
        return f"<fogline.Plan {self.best.route}: {self.best.latency_ms:.2f} ms>"

    def _repr_html_(self) -> str:
        return _frame(self._raw.html())


def plan(
    model: Model,
    edge: str,
    cloud: str,
    link: str,
    *,
    bundle: Optional[Path] = None,
    objective: str = "latency",
    codecs: Texts = (),
    deliver: str = "cloud",
    not_before: Optional[str] = None,
    never_send_input: bool = False,
    strict: bool = False,
    max_latency_ms: Optional[float] = None,
    max_latency_p95_ms: Optional[float] = None,
    min_agreement: Optional[float] = None,
    min_accuracy: Optional[float] = None,
    max_cost: Optional[float] = None,
    max_memory_mb: Optional[float] = None,
    max_data_gb: Optional[float] = None,
    max_disagreement: Optional[float] = None,
    images_per_second: Optional[float] = None,
    cloud_load: float = 0.0,
    electricity: float = 0.20,
) -> Plan:
    """The best line. Machines and links as `fogline plan` takes them; what each limit means stands in docs/planner.md."""
    more = {
        "bundle": None if bundle is None else os.fspath(bundle), "objective": objective, "codecs": ",".join(_texts(codecs)),
        "deliver": deliver, "not_before": not_before, "never_send_input": never_send_input, "strict": strict,
        "max_latency_ms": max_latency_ms, "max_latency_p95_ms": max_latency_p95_ms, "min_agreement": min_agreement,
        "min_accuracy": min_accuracy, "max_cost": max_cost, "max_memory_mb": max_memory_mb, "max_data_gb": max_data_gb,
        "max_disagreement": max_disagreement, "images_per_second": images_per_second, "cloud_load": cloud_load,
        "electricity": electricity,
    }
    return Plan(_fogline.plan(model._raw, edge, cloud, link, more))


def calibrate(
    model: Model,
    pictures: Path,
    *,
    cuts: Texts = (),
    levels: Sequence[int] = (2, 3, 4, 5, 6, 7, 8),
    labels: Optional[Path] = None,
    most_pictures: int = 0,
    threads: int = 0,
    progress: Progress = None,
) -> Calibration:
    """Measures codecs on a folder of pictures. `progress` is told what is done, 0…1; an exception in it, as Ctrl-C is one, ends it."""
    file = "" if labels is None else os.fspath(labels)
    raw = _fogline.calibrate(model._raw, os.fspath(pictures), _texts(cuts), list(levels), file, most_pictures, threads, progress)
    return Calibration(raw)


def profile(
    model: Model, *, threads: int = 1, seconds: float = 60.0, machine: Optional[str] = None, progress: Progress = None
) -> Profile:
    """Times both halves of every cut on this machine. A library name as `machine` brings its power and price along."""
    name, whole, p95, cuts, text = _fogline.profile(model._raw, threads, seconds, machine or "", progress)
    return Profile(name, whole, p95, [ProfiledCut(*cut) for cut in cuts], text)


def cost(scenario: Path) -> FleetPlan:
    """What every group of a fleet should run, from a scenario's file (docs/economics.md)."""
    raw = _fogline.cost(os.fspath(scenario))
    raw["report"] = json.loads(raw.pop("json"))
    raw["groups"] = [FleetChoice(**group) for group in raw["groups"]]
    return FleetPlan(**raw)


def machines() -> list[str]:
    """Names of the library's machines."""
    return _fogline.machines()


def links() -> list[str]:
    """Names of the library's links."""
    return _fogline.links()
