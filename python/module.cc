// _fogline: the library's values as Python's. Thin: what people see is in fogline/__init__.py. The
// interpreter's lock is given back while the library works; arrays go in and come out without
// copies.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <utility>

#include "fogline/codec.h"
#include "fogline/cost.h"
#include "fogline/halves.h"
#include "fogline/model.h"
#include "fogline/plan.h"

namespace py = pybind11;

namespace {

/// What a Result holds; else its error, as fogline.Error.
template <typename T>
T Take(fogline::Result<T>&& result) {
  if (!result) throw fogline::Failure(result.error());
  return *std::move(result);
}

/// Calls `work` while other threads may run Python.
template <typename Work>
auto Unlocked(Work work) {
  const py::gil_scoped_release released;
  return work();
}

/// What is said of progress to Python, from within the library. An exception there, Ctrl-C among
/// them, ends the work and is thrown again afterwards.
class Progress {
 public:
  explicit Progress(const py::object& callback) : callback_(callback) {}

  std::function<bool(double)> function() {
    return [this](double done) {
      const py::gil_scoped_acquire locked;
      try {
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        if (!callback_.is_none()) callback_(done);
        return true;
      } catch (py::error_already_set& thrown) {
        thrown_.emplace(std::move(thrown));
        return false;
      }
    };
  }
  /// Called under the lock.
  void Rethrow() {
    if (thrown_) throw py::error_already_set(std::move(*thrown_));
  }

 private:
  py::object callback_;
  std::optional<py::error_already_set> thrown_;
};

// ---- Arrays ---------------------------------------------------------------------------------

struct Kind {
  fogline::DType dtype;
  char kind;
  int bytes;
};
constexpr Kind kKinds[] = {{fogline::DType::kF32, 'f', 4}, {fogline::DType::kF64, 'f', 8},
                           {fogline::DType::kF16, 'f', 2}, {fogline::DType::kU8, 'u', 1},
                           {fogline::DType::kU16, 'u', 2}, {fogline::DType::kU32, 'u', 4},
                           {fogline::DType::kU64, 'u', 8}, {fogline::DType::kI8, 'i', 1},
                           {fogline::DType::kI16, 'i', 2}, {fogline::DType::kI32, 'i', 4},
                           {fogline::DType::kI64, 'i', 8}, {fogline::DType::kBool, 'b', 1}};

/// An array whose memory a view may point to: dense, in this machine's byte order, of a dtype that
/// networks know.
py::array Dense(const py::array& array) {
  py::array dense = array;
  if (!array.dtype().attr("isnative").cast<bool>()) {
    dense = array.attr("astype")(array.dtype().attr("newbyteorder")("="));
  }
  if ((dense.flags() & py::array::c_style) == 0) {
    dense = py::array::ensure(dense, py::array::c_style);
    if (!dense) throw py::error_already_set();
  }
  return dense;
}

/// Of a dense array, which must outlive it.
fogline::TensorView ViewOf(const py::array& array) {
  for (const Kind& kind : kKinds) {
    if (array.dtype().kind() != kind.kind || array.itemsize() != kind.bytes) continue;
    return {kind.dtype,
            {array.shape(), array.shape() + array.ndim()},
            array.data(),
            static_cast<size_t>(array.nbytes())};
  }
  throw py::type_error("arrays of dtype " + py::str(array.dtype()).cast<std::string>() +
                       " are none that networks take");
}

/// The tensor's memory as an array that keeps it alive.
py::array ArrayOf(const fogline::Tensor& tensor) {
  for (const Kind& kind : kKinds) {
    if (tensor.dtype() != kind.dtype) continue;
    const std::string name = std::string(1, kind.kind) + std::to_string(kind.bytes);
    const py::capsule owner(new std::shared_ptr<void>(tensor.owner()),
                            [](void* held) { delete static_cast<std::shared_ptr<void>*>(held); });
    return py::array(py::dtype(kind.kind == 'b' ? "?" : name), tensor.shape(), tensor.data(),
                     owner);
  }
  throw fogline::Failure({fogline::ErrorCode::kUnsupported, "NumPy",
                          std::string("has no type for ") + NameOf(tensor.dtype())});
}

/// For Judge: shares the array's memory, which `array` keeps alive meanwhile.
fogline::Tensor Borrowed(const py::array& array) {
  const fogline::TensorView view = ViewOf(array);
  return {view.dtype, view.shape, nullptr, const_cast<void*>(view.data), view.bytes};
}

// ---- Values as tuples and dictionaries --------------------------------------------------------

py::tuple TupleOf(const fogline::TensorSpec& spec) {
  return py::make_tuple(spec.name, NameOf(spec.dtype), py::tuple(py::cast(spec.shape)));
}

py::list ListOf(const std::vector<fogline::TensorSpec>& specs) {
  py::list list;
  for (const fogline::TensorSpec& spec : specs) list.append(TupleOf(spec));
  return list;
}

py::dict DictOf(const fogline::Cut& cut) {
  using namespace pybind11::literals;
  return py::dict("index"_a = cut.index, "name"_a = cut.name, "alias"_a = cut.alias,
                  "mechanism"_a = NameOf(cut.mechanism), "tensors"_a = ListOf(cut.tensors),
                  "bytes"_a = cut.bytes, "edge_layers"_a = cut.edge_layers,
                  "edge_madds"_a = cut.edge_madds, "cloud_madds"_a = cut.cloud_madds,
                  "edge_weight_bytes"_a = cut.edge_weight_bytes,
                  "cloud_weight_bytes"_a = cut.cloud_weight_bytes, "dominated"_a = cut.dominated,
                  "data_dependent"_a = cut.data_dependent);
}

py::dict DictOf(const fogline::Candidate& c) {
  using namespace pybind11::literals;
  py::dict times("edge_ms"_a = c.edge_ms, "encode_ms"_a = c.encode_ms, "uplink_ms"_a = c.uplink_ms,
                 "decode_ms"_a = c.decode_ms, "cloud_ms"_a = c.cloud_ms,
                 "downlink_ms"_a = c.downlink_ms, "latency_ms"_a = c.latency_ms,
                 "latency_p95_ms"_a = c.latency_p95_ms);
  py::dict all("cut"_a = c.cut, "cut_name"_a = c.cut_name, "alias"_a = c.alias,
               "mechanism"_a = NameOf(c.mechanism), "codec"_a = c.codec, "route"_a = c.route,
               "bytes"_a = c.bytes, "energy_mj"_a = c.energy_mj, "euro_month"_a = c.euro_month,
               "edge_memory_bytes"_a = c.edge_memory_bytes, "objective"_a = c.objective,
               "agreement"_a = c.agreement, "runnable"_a = c.runnable, "violates"_a = c.violates);
  all.attr("update")(times);
  return all;
}

py::list ScoresOf(const std::vector<fogline::Score>& scores) {
  py::list list;
  for (const fogline::Score& s : scores) list.append(py::make_tuple(s.label, s.score));
  return list;
}

py::dict DictOf(const fogline::Findings& found) {
  using namespace pybind11::literals;
  py::list boxes, numbers;
  for (const fogline::Box& b : found.boxes) {
    boxes.append(py::make_tuple(b.label, b.score, b.x, b.y, b.width, b.height));
  }
  for (const fogline::NamedNumber& n : found.numbers) {
    numbers.append(py::make_tuple(n.name, n.value, n.unit));
  }
  return py::dict("kind"_a = found.kind, "classes"_a = ScoresOf(found.classes), "boxes"_a = boxes,
                  "shares"_a = ScoresOf(found.shares), "numbers"_a = numbers,
                  "label"_a = found.label, "score"_a = found.score, "positive"_a = found.positive);
}

py::dict DictOf(const fogline::FleetPlan& plan) {
  using namespace pybind11::literals;
  py::list groups;
  for (const fogline::FleetChoice& g : plan.groups) {
    groups.append(py::dict("group"_a = g.group, "option"_a = g.option, "edge"_a = g.edge,
                           "devices"_a = g.devices, "hardware"_a = g.hardware,
                           "energy"_a = g.energy, "data"_a = g.data, "cloud"_a = g.cloud,
                           "broker"_a = g.broker, "storage"_a = g.storage, "total"_a = g.total,
                           "low"_a = g.low, "high"_a = g.high));
  }
  return py::dict("title"_a = plan.title, "groups"_a = groups, "devices"_a = plan.devices,
                  "euro_month"_a = plan.euro_month, "lower_bound_euro"_a = plan.lower_bound_euro,
                  "exact"_a = plan.exact, "instances"_a = plan.instances,
                  "uniform"_a = plan.uniform, "uniform_euro_month"_a = plan.uniform_euro_month,
                  "json"_a = plan.json);
}

fogline::PlanRequest RequestOf(const std::string& edge, const std::string& cloud,
                               const std::string& link, const py::dict& more) {
  fogline::PlanRequest request;
  request.edge = edge;
  request.cloud = cloud;
  request.link = link;
  const auto set = [&more](const char* name, auto& into) {
    if (!more.contains(name) || more[name].is_none()) return;
    into = more[name].cast<std::decay_t<decltype(into)>>();
  };
  set("bundle", request.bundle);
  set("objective", request.objective);
  set("codecs", request.codecs);
  set("deliver", request.deliver);
  set("not_before", request.not_before);
  set("never_send_input", request.never_send_input);
  set("strict", request.strict);
  set("max_latency_ms", request.max_latency_ms);
  set("max_latency_p95_ms", request.max_latency_p95_ms);
  set("min_agreement", request.min_agreement);
  set("min_accuracy", request.min_accuracy);
  set("max_cost", request.max_cost);
  set("max_memory_mb", request.max_memory_mb);
  set("max_data_gb", request.max_data_gb);
  set("max_disagreement", request.max_disagreement);
  set("images_per_second", request.images_per_second);
  set("cloud_load", request.cloud_load);
  set("electricity", request.electricity);
  return request;
}

// ---- The classes ------------------------------------------------------------------------------

using Texts = std::vector<std::string>;

void AddModel(py::module_& module) {
  using fogline::Model;
  py::class_<Model>(module, "Model")
      .def_static(
          "load",
          [](const std::string& path, const std::map<std::string, std::vector<int64_t>>& shapes,
             const std::map<std::string, std::vector<double>>& values) {
            return Unlocked([&] { return Take(Model::Load(path, {shapes, values})); });
          })
      .def("path", &Model::path)
      .def("sha256", &Model::sha256)
      .def("inputs", [](const Model& m) { return ListOf(m.inputs()); })
      .def("outputs", [](const Model& m) { return ListOf(m.outputs()); })
      .def("madds", &Model::madds)
      .def("params", &Model::params)
      .def("weight_bytes", &Model::weight_bytes)
      .def("assumptions", &Model::assumptions)
      .def("layers",
           [](const Model& m) {
             py::list list;
             for (const fogline::Layer& l : m.Layers()) {
               list.append(py::make_tuple(l.name, l.op, ListOf(l.outputs), l.madds, l.params,
                                          l.weight_bytes));
             }
             return list;
           })
      .def("cuts",
           [](const Model& m, bool all) {
             py::list list;
             for (const auto& cut : Unlocked([&] { return Take(m.Cuts(all)); })) {
               list.append(DictOf(cut));
             }
             return list;
           })
      .def("cut",
           [](const Model& m, const std::string& spec) { return DictOf(Take(m.FindCut(spec))); })
      .def("html", [](const Model& m) { return Unlocked([&] { return Take(m.Html()); }); })
      .def("split",
           [](const Model& m, const std::string& cut) {
             const auto halves = Unlocked([&] { return Take(Split(m, Take(m.FindCut(cut)))); });
             return std::pair(halves.edge, halves.cloud);
           })
      .def("check_split",
           [](const Model& m, const std::string& cut) {
             const auto proof = Unlocked([&] { return Take(CheckSplit(m, Take(m.FindCut(cut)))); });
             return py::make_tuple(proof.max_abs, proof.max_rel, proof.bit_identical, proof.holds);
           })
      .def("piece",
           [](const Model& m, const Texts& from, const Texts& to) {
             return Unlocked([&] { return Take(PieceOf(m, from, to)); });
           })
      .def("read_picture",
           [](const Model& m, const std::string& path) {
             const auto picture = Unlocked([&] { return Take(m.ReadPicture(path)); });
             return py::make_tuple(ArrayOf(picture.input), picture.width, picture.height);
           })
      .def("judge",
           [](const Model& m, const std::vector<py::array>& outputs, int width, int height) {
             std::vector<py::array> dense;
             std::vector<fogline::Tensor> tensors;
             for (const py::array& output : outputs) dense.push_back(Dense(output));
             for (const py::array& array : dense) tensors.push_back(Borrowed(array));
             return DictOf(Take(m.Judge(tensors, {{}, width, height})));
           });
}

void AddPieces(py::module_& module) {
  using fogline::Piece, fogline::Session;
  py::class_<Piece>(module, "Piece")
      .def("bytes", [](const Piece& p) { return py::bytes(p.bytes().data(), p.bytes().size()); })
      .def("size", [](const Piece& p) { return p.bytes().size(); })
      .def("save",
           [](const Piece& p, const std::string& path) {
             const py::gil_scoped_release released;
             p.Write(path).value();
           })
      .def("open", [](const Piece& p, int threads, bool optimize) {
        return Unlocked([&] { return Take(p.Open({threads, optimize})); });
      });
  py::class_<Session>(module, "Session")
      .def("inputs", [](const Session& s) { return ListOf(s.inputs()); })
      .def("outputs", [](const Session& s) { return ListOf(s.outputs()); })
      .def("run", [](const Session& s, const std::vector<py::array>& inputs) {
        std::vector<py::array> dense;
        std::vector<fogline::TensorView> views;
        for (const py::array& input : inputs) dense.push_back(Dense(input));
        for (const py::array& array : dense) views.push_back(ViewOf(array));
        const auto outputs = Unlocked([&] { return Take(s.Run(views)); });
        py::list list;
        for (const fogline::Tensor& output : outputs) list.append(ArrayOf(output));
        return list;
      });
}

void AddCodecs(py::module_& module) {
  using fogline::Calibration, fogline::Codec;
  py::class_<Calibration>(module, "Calibration")
      .def_static("load",
                  [](const fogline::Model& model, const std::string& path) {
                    return Unlocked([&] { return Take(Calibration::Load(model, path)); });
                  })
      .def("images", &Calibration::images)
      .def("svg", &Calibration::Svg)
      .def("save", [](const Calibration& c, const std::string& path) { c.Write(path).value(); })
      .def("pairs", [](const Calibration& c) {
        py::list list;
        for (const fogline::CalibratedPair& p : c.pairs()) {
          list.append(py::make_tuple(p.cut, p.cut_name, p.codec, p.bytes_mean, p.bytes_p95,
                                     p.agreement, p.top1_accuracy, p.relative_error));
        }
        return list;
      });
  module.def(
      "calibrate", [](const fogline::Model& model, const std::string& pictures, const Texts& cuts,
                      const std::vector<int>& levels, const std::string& labels, size_t most,
                      int threads, const py::object& progress) {
        Progress told(progress);
        fogline::CalibrateOptions options{cuts, levels, labels, most, threads, told.function()};
        auto found = Unlocked([&] { return Calibrate(model, pictures, options); });
        told.Rethrow();
        return Take(std::move(found));
      });
  py::class_<Codec>(module, "Codec")
      .def_static(
          "make",
          [](const std::string& name, int dtype, const std::vector<int64_t>& shape) {
            return Take(Codec::Make(name, {"tensor", static_cast<fogline::DType>(dtype), shape}));
          })
      .def_static(
          "of_cut",
          [](const std::string& name, const fogline::Model& model, const std::string& cut,
             size_t tensor, const Calibration& calibration) {
            return Take(Codec::Make(name, model, Take(model.FindCut(cut)), tensor, calibration));
          })
      .def("name", &Codec::name)
      .def("tensor", [](const Codec& c) { return TupleOf(c.tensor()); })
      .def("encode",
           [](const Codec& c, const py::array& array) {
             const py::array dense = Dense(array);
             const auto view = ViewOf(dense);
             const auto code = Unlocked([&] { return Take(c.Encode(view)); });
             return py::bytes(reinterpret_cast<const char*>(code.data()), code.size());
           })
      .def("decode", [](const Codec& c, const py::buffer& code) {
        const py::buffer_info info = code.request();
        if (info.ndim > 1 || (info.ndim == 1 && info.strides[0] != info.itemsize)) {
          throw py::value_error("the code is no plain row of bytes");
        }
        const auto bytes = static_cast<size_t>(info.size * info.itemsize);
        return ArrayOf(Unlocked([&] { return Take(c.Decode(info.ptr, bytes)); }));
      });
}

void AddPlans(py::module_& module) {
  using fogline::Plan;
  py::class_<Plan>(module, "Plan")
      .def("best", [](const Plan& p) { return DictOf(p.best()); })
      .def("candidates",
           [](const Plan& p) {
             py::list list;
             for (const fogline::Candidate& c : p.candidates()) list.append(DictOf(c));
             return list;
           })
      .def("envelope",
           [](const Plan& p) {
             py::list list;
             for (const fogline::PlanStep& s : p.envelope()) {
               list.append(py::make_tuple(s.from_mbps, s.to_mbps, s.candidate));
             }
             return list;
           })
      .def("lower_bound", &Plan::lower_bound)
      .def("proof", &Plan::proof)
      .def("json", &Plan::Json)
      .def("policy", [](const Plan& p) { return Take(p.Policy()); })
      .def("html", &Plan::Html);
  module.def("plan", [](const fogline::Model& model, const std::string& edge,
                        const std::string& cloud, const std::string& link, const py::dict& more) {
    const auto request = RequestOf(edge, cloud, link, more);
    return Unlocked([&] { return Take(MakePlan(model, request)); });
  });
  module.def("profile", [](const fogline::Model& model, int threads, double seconds,
                           const std::string& machine, const py::object& progress) {
    Progress told(progress);
    auto found = Unlocked([&] {
      return MeasureProfile(model, {threads, seconds, machine, told.function()});
    });
    told.Rethrow();
    const auto profile = Take(std::move(found));
    py::list cuts;
    for (const fogline::ProfiledCut& c : profile.cuts) {
      cuts.append(
          py::make_tuple(c.cut_name, c.prefix_ms, c.prefix_p95_ms, c.suffix_ms, c.suffix_p95_ms));
    }
    return py::make_tuple(profile.machine, profile.whole_ms, profile.whole_p95_ms, cuts,
                          profile.json);
  });
  module.def("cost", [](const std::string& path) {
    return DictOf(Unlocked([&] { return Take(fogline::PlanFleet(path)); }));
  });
  module.def("machines", &fogline::Machines);
  module.def("links", &fogline::Links);
}

}  // namespace

PYBIND11_MODULE(_fogline, module) {
  module.attr("version") = FOGLINE_VERSION;
  // fogline.Error(code, where, message); kept for as long as the interpreter lives.
  static PyObject* error = PyErr_NewException("fogline.Error", PyExc_RuntimeError, nullptr);
  module.attr("Error") = py::handle(error);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const fogline::Failure& failure) {
      py::object made = py::handle(error)(failure.error.ToString());
      made.attr("code") = NameOf(failure.error.code);
      made.attr("where") = failure.error.where;
      made.attr("message") = failure.error.message;
      PyErr_SetObject(error, made.ptr());
    }
  });
  AddModel(module);
  AddPieces(module);
  AddCodecs(module);
  AddPlans(module);
}
