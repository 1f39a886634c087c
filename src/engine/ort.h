// What the files of this room share of ONNX Runtime; nobody else includes this.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>

#include "base/result.h"
#include "engine/session.h"

namespace fogline {

/// The process's one engine environment; its log lines go to ours.
Ort::Env& Environment();

/// The engine's exception as an error of one line.
Error FromEngine(const Ort::Exception& e, const std::string& where);

Ort::SessionOptions ToEngine(const SessionOptions& options);

}  // namespace fogline
