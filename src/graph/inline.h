// Local functions put in the place of their calls.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "base/result.h"

namespace fogline {

/// Replaces every call of a local function (ModelProto.functions) by the nodes of its body, in the
/// graph and in the bodies of If, Loop and Scan, until no call is left: the layers are then those
/// that the engine runs. Names inside a body get the call's name in front and meet no other.
/// A function stays a layer of its own where it has the name of a standard operator or counts on
/// other operator sets than the model imports; Model::madds_at_least() says that it is not counted.
/// kInvalid for functions that call themselves, give what they do not make, or expand beyond
/// reason; the function is named.
Status InlineFunctions(onnx::ModelProto& model, const std::string& where);

/// True when `node` calls one of `model`'s functions.
bool CallsFunction(const onnx::ModelProto& model, const onnx::NodeProto& node);

}  // namespace fogline
