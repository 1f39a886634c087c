// What the files of this room share of ONNX Runtime; nobody else includes this.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>

#include "base/result.h"
#include "engine/provider.h"
#include "engine/session.h"
#include "engine/trial.h"

namespace fogline {

/// The process's one engine environment; its log lines go to ours.
Ort::Env& Environment();

/// The engine's exception as an error of one line: on opening a model, and on running one. A run
/// that is refused for its input's values is kInvalid; what else stops it is not the input's fault.
Error FromEngine(const Ort::Exception& e, const std::string& where);
Error FromRun(const Ort::Exception& e, const std::string& where);
/// What else may be thrown: kExhausted for want of memory.
Error FromThrown(const std::exception& e, const std::string& where);

/// `level` instead of what `options` says of optimisation; on the processor, unless a provider is
/// given. Throws what the engine throws of it.
Ort::SessionOptions ToEngine(const SessionOptions& options, Level level,
                             const Provider& provider = {});
/// The provider's part of it.
void AppendProvider(const Provider& provider, int own_threads, Ort::SessionOptions& to);

}  // namespace fogline
