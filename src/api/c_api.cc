// The border to C: null is looked for, and nothing thrown passes.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "fogline/codec.h"
#include "fogline/cost.h"
#include "fogline/fogline.h"
#include "fogline/halves.h"
#include "fogline/model.h"
#include "fogline/plan.h"

namespace v1 = fogline::v1;

struct fogline_model {
  v1::Model model;
  std::vector<v1::Cut> cuts;
};
struct fogline_piece {
  v1::Piece piece;
};
struct fogline_session {
  v1::Session session;
};
struct fogline_tensors {
  std::vector<v1::Tensor> tensors;
};
struct fogline_codec {
  v1::Codec codec;
};
struct fogline_buffer {
  std::vector<std::byte> bytes;
};

namespace {

/// One line a thread, in place: said even where there is no memory left to say it in.
thread_local char last_error[1024] = "";

int Say(int code, const char* text) {
  const size_t length = std::min(std::strlen(text), sizeof last_error - 1);
  std::memcpy(last_error, text, length);
  last_error[length] = '\0';
  return code;
}

int Say(const v1::Error& error) {
  return Say(static_cast<int>(error.code) + 1, error.ToString().c_str());
}

/// Calls `work` if none of `needed` is null, and turns what it throws into a code.
template <typename Work>
int Border(std::initializer_list<const void*> needed, Work work) noexcept {
  try {
    for (const void* pointer : needed) {
      if (pointer == nullptr) return Say(FOGLINE_USAGE, "a null pointer was passed");
    }
    return work();
  } catch (const std::bad_alloc&) {
    return Say(FOGLINE_EXHAUSTED, "no memory left");
  } catch (const std::exception& e) {
    return Say(FOGLINE_INTERNAL, e.what());
  } catch (...) {
    return Say(FOGLINE_INTERNAL, "something unknown was thrown");
  }
}

/// Hands a value out, in a struct of its own, or says why there is none.
template <typename Handle, typename T>
int Give(v1::Result<T>&& result, Handle** out) {
  if (!result) return Say(result.error());
  *out = new Handle{std::move(*result)};
  return FOGLINE_OK;
}

int GiveText(const std::string& text, char** out) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  *out = copy;
  return FOGLINE_OK;
}

v1::Result<v1::TensorView> ViewOf(const fogline_tensor& tensor) {
  if (tensor.rank < 0 || tensor.rank > FOGLINE_MAX_RANK) {
    return v1::Error{v1::ErrorCode::kUsage, "tensor",
                     "has " + std::to_string(tensor.rank) + " dimensions, not 0 to 8"};
  }
  if (tensor.dtype < 0 || tensor.dtype > 16) {
    return v1::Error{v1::ErrorCode::kUsage, "tensor",
                     "is of dtype " + std::to_string(tensor.dtype) + ", which there is not"};
  }
  return v1::TensorView{static_cast<v1::DType>(tensor.dtype),
                        {tensor.shape, tensor.shape + tensor.rank},
                        tensor.data,
                        tensor.bytes};
}

v1::Result<std::vector<std::string>> Texts(const char* const* texts, size_t count) {
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    if (texts == nullptr || texts[i] == nullptr) {
      return v1::Error{v1::ErrorCode::kUsage, "", "a null pointer was passed"};
    }
    out.emplace_back(texts[i]);
  }
  return out;
}

v1::PlanRequest RequestOf(const fogline_plan_request& from) {
  v1::PlanRequest to;
  to.edge = from.edge;
  to.cloud = from.cloud;
  to.link = from.link;
  if (from.objective != nullptr) to.objective = from.objective;
  if (from.codecs != nullptr) to.codecs = from.codecs;
  if (from.bundle != nullptr) to.bundle = from.bundle;
  if (from.not_before != nullptr) to.not_before = from.not_before;
  to.never_send_input = from.never_send_input != 0;
  const auto limit = [](double value, std::optional<double>& into) {
    if (value > 0) into = value;
  };
  limit(from.max_latency_ms, to.max_latency_ms);
  limit(from.min_agreement, to.min_agreement);
  limit(from.max_cost, to.max_cost);
  limit(from.max_memory_mb, to.max_memory_mb);
  limit(from.max_data_gb, to.max_data_gb);
  return to;
}

}  // namespace

extern "C" {

const char* fogline_version(void) { return FOGLINE_VERSION; }
const char* fogline_last_error(void) { return last_error; }

int fogline_model_load(const char* path, fogline_model** model) {
  return Border({path, model}, [&] {
    auto loaded = v1::Model::Load(path);
    if (!loaded) return Say(loaded.error());
    auto cuts = loaded->Cuts();
    if (!cuts) return Say(cuts.error());
    *model = new fogline_model{*std::move(loaded), *std::move(cuts)};
    return +FOGLINE_OK;
  });
}
void fogline_model_free(fogline_model* model) { delete model; }

int fogline_model_cut_count(const fogline_model* model, size_t* count) {
  return Border({model, count}, [&] {
    *count = model->cuts.size();
    return +FOGLINE_OK;
  });
}

int fogline_model_cut(const fogline_model* model, size_t index, fogline_cut* cut) {
  return Border({model, cut}, [&] {
    if (index >= model->cuts.size()) return Say(FOGLINE_NOT_FOUND, "there is no such cut");
    const v1::Cut& c = model->cuts[index];
    *cut = {c.name.c_str(),
            c.alias.c_str(),
            static_cast<int32_t>(c.mechanism),
            static_cast<int32_t>(c.tensors.size()),
            c.bytes,
            c.edge_madds,
            c.cloud_madds};
    return +FOGLINE_OK;
  });
}

int fogline_model_split(const fogline_model* model, const char* cut, fogline_piece** edge,
                        fogline_piece** cloud) {
  return Border({model, cut, edge, cloud}, [&] {
    const auto found = model->model.FindCut(cut);
    if (!found) return Say(found.error());
    auto halves = Split(model->model, *found);
    if (!halves) return Say(halves.error());
    auto first = std::make_unique<fogline_piece>(fogline_piece{std::move(halves->edge)});
    *cloud = new fogline_piece{std::move(halves->cloud)};
    *edge = first.release();
    return +FOGLINE_OK;
  });
}

int fogline_model_piece(const fogline_model* model, const char* const* from, size_t from_count,
                        const char* const* to, size_t to_count, fogline_piece** piece) {
  return Border({model, piece}, [&] {
    const auto begin = Texts(from, from_count), end = Texts(to, to_count);
    if (!begin) return Say(begin.error());
    if (!end) return Say(end.error());
    return Give(PieceOf(model->model, *begin, *end), piece);
  });
}

int fogline_piece_bytes(const fogline_piece* piece, const void** data, size_t* bytes) {
  return Border({piece, data, bytes}, [&] {
    *data = piece->piece.bytes().data();
    *bytes = piece->piece.bytes().size();
    return +FOGLINE_OK;
  });
}
int fogline_piece_write(const fogline_piece* piece, const char* path) {
  return Border({piece, path}, [&] {
    const auto written = piece->piece.Write(path);
    return written ? +FOGLINE_OK : Say(written.error());
  });
}
void fogline_piece_free(fogline_piece* piece) { delete piece; }

size_t fogline_tensors_count(const fogline_tensors* tensors) {
  return tensors == nullptr ? 0 : tensors->tensors.size();
}
int fogline_tensors_get(const fogline_tensors* tensors, size_t index, fogline_tensor* tensor) {
  return Border({tensors, tensor}, [&] {
    if (index >= tensors->tensors.size()) return Say(FOGLINE_NOT_FOUND, "there is no such tensor");
    const v1::Tensor& from = tensors->tensors[index];
    *tensor = {static_cast<int32_t>(from.dtype()),
               static_cast<int32_t>(from.shape().size()),
               {},
               from.data(),
               from.bytes()};
    std::ranges::copy(from.shape(), tensor->shape);
    return +FOGLINE_OK;
  });
}
void fogline_tensors_free(fogline_tensors* tensors) { delete tensors; }

int fogline_session_open(const fogline_piece* piece, int threads, fogline_session** session) {
  return Border({piece, session}, [&] {
    if (threads < 0) return Say(FOGLINE_USAGE, "threads: cannot be negative");
    return Give(piece->piece.Open({.threads = threads, .optimize = true}), session);
  });
}
const char* fogline_session_input(const fogline_session* session, size_t index) {
  if (session == nullptr || index >= session->session.inputs().size()) return nullptr;
  return session->session.inputs()[index].name.c_str();
}
const char* fogline_session_output(const fogline_session* session, size_t index) {
  if (session == nullptr || index >= session->session.outputs().size()) return nullptr;
  return session->session.outputs()[index].name.c_str();
}
int fogline_session_run(const fogline_session* session, const fogline_tensor* inputs, size_t count,
                        fogline_tensors** outputs) {
  return Border({session, outputs}, [&] {
    if (inputs == nullptr && count > 0) return Say(FOGLINE_USAGE, "a null pointer was passed");
    std::vector<v1::TensorView> views;
    for (size_t i = 0; i < count; ++i) {
      auto view = ViewOf(inputs[i]);
      if (!view) return Say(view.error());
      views.push_back(*std::move(view));
    }
    return Give(session->session.Run(views), outputs);
  });
}
void fogline_session_free(fogline_session* session) { delete session; }

int fogline_codec_make(const char* name, const fogline_tensor* like, fogline_codec** codec) {
  return Border({name, like, codec}, [&] {
    const auto view = ViewOf(*like);
    if (!view) return Say(view.error());
    return Give(v1::Codec::Make(name, {"tensor", view->dtype, view->shape}), codec);
  });
}
int fogline_codec_make_calibrated(const char* name, const fogline_model* model, const char* cut,
                                  size_t tensor, const char* bundle, fogline_codec** codec) {
  return Border({name, model, cut, bundle, codec}, [&] {
    const auto found = model->model.FindCut(cut);
    if (!found) return Say(found.error());
    const auto calibration = v1::Calibration::Load(model->model, bundle);
    if (!calibration) return Say(calibration.error());
    return Give(v1::Codec::Make(name, model->model, *found, tensor, *calibration), codec);
  });
}
void fogline_codec_free(fogline_codec* codec) { delete codec; }

int fogline_codec_encode(const fogline_codec* codec, const fogline_tensor* tensor,
                         fogline_buffer** code) {
  return Border({codec, tensor, code}, [&] {
    const auto view = ViewOf(*tensor);
    if (!view) return Say(view.error());
    return Give(codec->codec.Encode(*view), code);
  });
}
int fogline_codec_decode(const fogline_codec* codec, const void* code, size_t bytes,
                         fogline_tensors** tensor) {
  return Border({codec, tensor}, [&] {
    auto decoded = codec->codec.Decode(code, bytes);
    if (!decoded) return Say(decoded.error());
    *tensor = new fogline_tensors{{*std::move(decoded)}};
    return +FOGLINE_OK;
  });
}
const void* fogline_buffer_data(const fogline_buffer* buffer) {
  return buffer == nullptr ? nullptr : buffer->bytes.data();
}
size_t fogline_buffer_bytes(const fogline_buffer* buffer) {
  return buffer == nullptr ? 0 : buffer->bytes.size();
}
void fogline_buffer_free(fogline_buffer* buffer) { delete buffer; }

int fogline_plan(const fogline_model* model, const fogline_plan_request* request, char** json) {
  return Border({model, request, json}, [&] {
    if (request->edge == nullptr || request->cloud == nullptr || request->link == nullptr) {
      return Say(FOGLINE_USAGE, "edge, cloud and link are needed");
    }
    const auto plan = MakePlan(model->model, RequestOf(*request));
    return plan ? GiveText(plan->Json(), json) : Say(plan.error());
  });
}
int fogline_plan_fleet(const char* scenario, char** json) {
  return Border({scenario, json}, [&] {
    const auto plan = v1::PlanFleet(scenario);
    return plan ? GiveText(plan->json, json) : Say(plan.error());
  });
}
void fogline_text_free(char* text) { std::free(text); }

}  // extern "C"
