// An execution provider that is none: preloaded into a program (LD_PRELOAD), it stands before the
// engine's C interface, lists XNNPACK among its providers, and runs what is opened with it on the
// processor, as $FOGLINE_STUB says: well, refuses, fails (each run), differs (by a tenth), dies.
#include <dlfcn.h>
#include <onnxruntime_c_api.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

// NOLINTBEGIN(concurrency-mt-unsafe): nothing here writes to the environment
namespace {

const OrtApi* real = nullptr;
std::mutex mutex;
std::set<const void*> on_stub;  // options and sessions, under mutex

bool Mode(const char* is) {
  const char* mode = std::getenv("FOGLINE_STUB");
  return mode != nullptr && std::string(mode) == is;
}

bool IsOnStub(const void* object) {
  const std::lock_guard lock(mutex);
  return on_stub.contains(object);
}

void Mark(const void* object, bool on) {
  const std::lock_guard lock(mutex);
  if (on) {
    on_stub.insert(object);
  } else {
    on_stub.erase(object);
  }
}

OrtStatus* List(char*** names, int* count) noexcept {
  static char xnnpack[] = "XnnpackExecutionProvider", processor[] = "CPUExecutionProvider";
  static char* all[] = {xnnpack, processor};
  *names = all;
  *count = 2;
  return nullptr;
}

OrtStatus* Unlist(char**, int) noexcept { return nullptr; }

OrtStatus* Append(OrtSessionOptions* options, const char* name, const char* const* keys,
                  const char* const* values, size_t count) noexcept {
  if (std::string(name) != "XNNPACK" || Mode("refuses")) {
    return real->CreateStatus(ORT_EP_FAIL, "no such device\nhere");
  }
  if (const char* told = std::getenv("FOGLINE_STUB_TOLD")) {
    if (std::FILE* file = std::fopen(told, "a")) {
      for (size_t i = 0; i < count; ++i) std::fprintf(file, "%s=%s\n", keys[i], values[i]);
      std::fclose(file);
    }
  }
  Mark(options, true);
  return nullptr;
}

OrtStatus* Create(const OrtEnv* env, const char* path, const OrtSessionOptions* options,
                  OrtSession** out) noexcept {
  OrtStatus* status = real->CreateSession(env, path, options, out);
  if (status == nullptr && IsOnStub(options)) Mark(*out, true);
  return status;
}

OrtStatus* CreateOf(const OrtEnv* env, const void* bytes, size_t size,
                    const OrtSessionOptions* options, OrtSession** out) noexcept {
  OrtStatus* status = real->CreateSessionFromArray(env, bytes, size, options, out);
  if (status == nullptr && IsOnStub(options)) Mark(*out, true);
  return status;
}

OrtStatus* RunIt(OrtSession* session, const OrtRunOptions* how, const char* const* input_names,
                 const OrtValue* const* inputs, size_t count, const char* const* output_names,
                 size_t output_count, OrtValue** outputs) noexcept {
  const bool stub = IsOnStub(session);
  if (stub && Mode("dies")) std::abort();
  if (stub && Mode("fails")) return real->CreateStatus(ORT_EP_FAIL, "the device\nis lost");
  OrtStatus* status =
      real->Run(session, how, input_names, inputs, count, output_names, output_count, outputs);
  if (status != nullptr || !stub || !Mode("differs")) return status;
  for (size_t i = 0; i < output_count; ++i) {
    OrtTensorTypeAndShapeInfo* info = nullptr;
    size_t elements = 0;
    void* data = nullptr;
    if (real->GetTensorTypeAndShape(outputs[i], &info) != nullptr) continue;
    if (real->GetTensorShapeElementCount(info, &elements) == nullptr &&
        real->GetTensorMutableData(outputs[i], &data) == nullptr) {
      for (size_t k = 0; k < elements; ++k) static_cast<float*>(data)[k] *= 1.1F;
    }
    real->ReleaseTensorTypeAndShapeInfo(info);
  }
  return nullptr;
}

void ReleaseOptions(OrtSessionOptions* options) noexcept {
  Mark(options, false);
  real->ReleaseSessionOptions(options);
}

void Release(OrtSession* session) noexcept {
  Mark(session, false);
  real->ReleaseSession(session);
}

const OrtApiBase* RealBase() {
  using Get = const OrtApiBase*();
  static const auto get = reinterpret_cast<Get*>(dlsym(RTLD_NEXT, "OrtGetApiBase"));
  return get();
}

const OrtApi* GetApi(uint32_t version) noexcept {
  static OrtApi mine;
  const std::lock_guard lock(mutex);
  if (real == nullptr) {
    real = RealBase()->GetApi(version);
    mine = *real;
    mine.GetAvailableProviders = List;
    mine.ReleaseAvailableProviders = Unlist;
    mine.SessionOptionsAppendExecutionProvider = Append;
    mine.CreateSession = Create;
    mine.CreateSessionFromArray = CreateOf;
    mine.Run = RunIt;
    mine.ReleaseSessionOptions = ReleaseOptions;
    mine.ReleaseSession = Release;
  }
  return &mine;
}

}  // namespace
// NOLINTEND(concurrency-mt-unsafe)

extern "C" const OrtApiBase* OrtGetApiBase() noexcept {
  static const OrtApiBase mine{GetApi, RealBase()->GetVersionString};
  return &mine;
}
