#include "quantize/watch.h"

#include <algorithm>

#include "base/parallel.h"
#include "engine/session.h"

namespace fogline::quantize {

Status Watch(const Net& net, const std::vector<std::string>& names, std::span<const Tensor> inputs,
             int threads, const Seen& seen) {
  Net open = net;
  open.graph().clear_output();
  for (const std::string& name : names) {
    auto* output = open.graph().add_output();
    output->set_name(name);
    output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  }
  open.Reindex();
  open.Remove({});
  FOGLINE_TRY(const std::string bytes, open.Write());
  SessionOptions options;
  options.untried = true;
  FOGLINE_TRY(const std::unique_ptr<Session> session,
              OpenSession(std::as_bytes(std::span(bytes)), net.where(), options));
  const auto together = static_cast<size_t>(std::max(1, threads));
  for (size_t at = 0; at < inputs.size(); at += together) {
    const size_t count = std::min(together, inputs.size() - at);
    std::vector<std::vector<Tensor>> tensors(count);
    FOGLINE_CHECK(ParallelFor(count, threads, [&](size_t i, int) -> Status {
      const TensorView view = inputs[at + i].view();
      FOGLINE_TRY(tensors[i], session->Run({&view, 1}));
      return {};
    }));
    for (size_t i = 0; i < count; ++i) FOGLINE_CHECK(seen(at + i, tensors[i]));
  }
  return {};
}

}  // namespace fogline::quantize
