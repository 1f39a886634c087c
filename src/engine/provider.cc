#include "engine/provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"
#include "engine/ort.h"

namespace fogline {
namespace {

struct Setting {
  const char *key = nullptr, *value = nullptr;
};

/// A provider as ONNX Runtime's documentation of it has it.
struct Kind {
  const char* name;
  const char* listed;              // in GetAvailableProviders()
  const char* appended;            // null: by functions of its own
  std::array<Setting, 2> exact;    // so that it computes as the processor does, unless told else
  std::array<Setting, 3> coarse;   // asks for 16 bits or fewer
  std::array<Setting, 4> caching;  // a value of null is the folder
};

constexpr std::array kKinds{
    Kind{"coreml",
         "CoreMLExecutionProvider",
         "CoreML",
         {},
         {{{"AllowLowPrecisionAccumulationOnGPU", "1"}}},
         {{{"ModelCacheDirectory", nullptr}}}},
    Kind{
        "cuda", "CUDAExecutionProvider", nullptr, {{{"use_tf32", "0"}}}, {{{"use_tf32", "1"}}}, {}},
    Kind{"dnnl", "DnnlExecutionProvider", nullptr, {}, {}, {}},
    Kind{"openvino",
         "OpenVINOExecutionProvider",
         "OpenVINO",
         {},
         {{{"precision", "FP16"}}},
         {{{"cache_dir", nullptr}}}},
    Kind{"qnn", "QNNExecutionProvider", "QNN", {}, {{{"enable_htp_fp16_precision", "1"}}}, {}},
    Kind{"tensorrt",
         "TensorrtExecutionProvider",
         nullptr,
         {},
         {{{"trt_fp16_enable", "1"}, {"trt_bf16_enable", "1"}, {"trt_int8_enable", "1"}}},
         {{{"trt_engine_cache_enable", "1"},
           {"trt_engine_cache_path", nullptr},
           {"trt_timing_cache_enable", "1"},
           {"trt_timing_cache_path", nullptr}}}},
    Kind{"webgpu", "WebGpuExecutionProvider", "WebGPU", {}, {}, {}},
    Kind{"xnnpack", "XnnpackExecutionProvider", "XNNPACK", {}, {}, {}},
};

const Kind* Find(std::string_view name) {
  const auto kind = std::ranges::find(kKinds, name, &Kind::name);
  return kind == kKinds.end() ? nullptr : &*kind;
}

std::mutex in_use_mutex;
Provider in_use;  // under in_use_mutex

/// All that the provider is told, as parallel lists for the engine.
struct Told {
  std::map<std::string, std::string> settings;
  std::vector<const char*> keys, values;

  Told(const Kind& kind, const Provider& provider, int own_threads) : settings(provider.options) {
    for (const Setting& one : kind.exact) {
      if (one.key != nullptr) settings.try_emplace(one.key, one.value);
    }
    for (const Setting& one : kind.caching) {
      if (one.key == nullptr || provider.cache.empty()) continue;
      settings.try_emplace(one.key, one.value == nullptr ? provider.cache.string() : one.value);
    }
    // It brings threads of its own, one unless told.
    if (kind.name == std::string_view("xnnpack") && own_threads > 0) {
      settings.try_emplace("intra_op_num_threads", std::to_string(own_threads));
    }
    for (const auto& [key, value] : settings) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
  }
};

/// Options of one provider of its own functions: made, filled, appended, given back.
template <typename Options, typename Make, typename Update, typename Append, typename Release>
void AppendOwn(const Told& told, Make make, Update update, Append append, Release release) {
  Options* made = nullptr;
  Ort::ThrowOnError(make(&made));
  const std::unique_ptr<Options, Release> options(made, release);
  if (!told.keys.empty()) {
    Ort::ThrowOnError(update(made, told.keys.data(), told.values.data(), told.keys.size()));
  }
  Ort::ThrowOnError(append(made));
}

}  // namespace

std::string Provider::ToString() const {
  if (name.empty()) return "cpu";
  std::string text = name;
  for (const auto& [key, value] : options) {
    text += fmt::format("{}{}={}", text == name ? ":" : ",", key, value);
  }
  return text;
}

std::vector<std::string> ProviderNames() {
  std::vector<std::string> names{"cpu"};
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

Result<Provider> ParseProvider(std::string_view text, const std::filesystem::path& cache,
                               const std::string& flag) {
  const size_t colon = std::min(text.find(':'), text.size());
  Provider provider{std::string(text.substr(0, colon)), {}, {}};
  const bool processor = provider.name.empty() || provider.name == "cpu";
  const Kind* kind = Find(provider.name);
  if (!processor && kind == nullptr) {
    return Fail(ErrorCode::kUsage, flag, "is one of {}, not '{}'", fmt::join(ProviderNames(), ", "),
                provider.name);
  }
  if (processor && colon < text.size()) {
    return Fail(ErrorCode::kUsage, flag, "cpu has no options");
  }
  for (size_t at = colon + 1; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view one = text.substr(at, comma - at);
    const size_t equals = one.find('=');
    if (equals == 0 || equals == one.npos) {
      return Fail(ErrorCode::kUsage, flag, "has options as KEY=VALUE, not '{}'", one);
    }
    provider.options[std::string(one.substr(0, equals))] = one.substr(equals + 1);
    at = comma + 1;
  }
  if (!cache.empty()) {
    if (processor || kind->caching[0].key == nullptr) {
      return Fail(ErrorCode::kUsage, flag + "-cache", "{} compiles nothing that could be kept",
                  processor ? "cpu" : provider.name);
    }
    provider.cache = Absolute(cache);
  }
  if (processor) return Provider{};
  return provider;
}

void UseProvider(const Provider& provider) {
  Provider use = provider;
  if (const Kind* kind = Find(provider.name)) {
    const std::vector<std::string> has = Ort::GetAvailableProviders();
    if (std::ranges::find(has, kind->listed) == has.end()) {
      LogWarning(
          "provider {} is not in this {}: networks run on the CPU (an engine that has it comes in "
          "by ONNXRUNTIME_ROOT)",
          provider.name, EngineName());
      use = {};
    }
  }
  const std::lock_guard lock(in_use_mutex);
  in_use = std::move(use);
}

Provider ProviderInUse() {
  const std::lock_guard lock(in_use_mutex);
  return in_use;
}

bool IsCoarse(const Provider& provider) {
  const Kind* kind = Find(provider.name);
  return kind != nullptr && std::ranges::any_of(kind->coarse, [&](const Setting& one) {
           if (one.key == nullptr) return false;
           const auto told = provider.options.find(one.key);
           return told != provider.options.end() && told->second == one.value;
         });
}

void AppendProvider(const Provider& provider, int own_threads, Ort::SessionOptions& to) {
  const Kind* kind = Find(provider.name);
  if (kind == nullptr) return;
  const OrtApi& api = Ort::GetApi();
  const Told told(*kind, provider, own_threads);
  if (kind->appended != nullptr) {
    Ort::ThrowOnError(api.SessionOptionsAppendExecutionProvider(
        to, kind->appended, told.keys.data(), told.values.data(), told.keys.size()));
  } else if (provider.name == "cuda") {
    AppendOwn<OrtCUDAProviderOptionsV2>(
        told, api.CreateCUDAProviderOptions, api.UpdateCUDAProviderOptions,
        [&](auto* made) { return api.SessionOptionsAppendExecutionProvider_CUDA_V2(to, made); },
        api.ReleaseCUDAProviderOptions);
  } else if (provider.name == "tensorrt") {
    AppendOwn<OrtTensorRTProviderOptionsV2>(
        told, api.CreateTensorRTProviderOptions, api.UpdateTensorRTProviderOptions,
        [&](auto* made) { return api.SessionOptionsAppendExecutionProvider_TensorRT_V2(to, made); },
        api.ReleaseTensorRTProviderOptions);
  } else {
    AppendOwn<OrtDnnlProviderOptions>(
        told, api.CreateDnnlProviderOptions, api.UpdateDnnlProviderOptions,
        [&](auto* made) { return api.SessionOptionsAppendExecutionProvider_Dnnl(to, made); },
        api.ReleaseDnnlProviderOptions);
  }
}

}  // namespace fogline
