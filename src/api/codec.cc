#include "fogline/codec.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "api/bridge.h"
#include "api/model_impl.h"
#include "base/file.h"
#include "codec/calibration_set.h"
#include "codec/choose_cuts.h"
#include "codec/codec.h"
#include "pages/calibrate_chart.h"
#include "plan/request.h"

namespace fogline {
namespace v1 {

struct CalibrationImpl {
  Bundle bundle;
  std::vector<std::byte> file;
  std::vector<CalibratedPair> pairs;
};

struct CodecImpl {
  std::string name;
  TensorSpec tensor;
  std::mutex mutex;
  std::unique_ptr<TensorCodec> codec;  // under the mutex: it keeps buffers
};

}  // namespace v1

namespace {

v1::Calibration Hold(Bundle bundle, std::vector<std::byte> file) {
  auto impl = std::make_shared<v1::CalibrationImpl>(
      v1::CalibrationImpl{std::move(bundle), std::move(file), {}});
  for (const CalibratedPair& p : impl->bundle.pairs()) {
    impl->pairs.push_back({p.cut, p.cut_name, p.codec, p.bytes_mean, p.bytes_p95, p.agreement,
                           p.top1_accuracy, p.relative_error});
  }
  return v1::Calibration(std::move(impl));
}

Result<v1::Calibration> LoadCalibration(const Model& model, const std::string& path) {
  FOGLINE_TRY(Bundle bundle, LoadBundleOf(model, path));
  FOGLINE_TRY(const MappedFile file, MappedFile::Open(path));
  return Hold(std::move(bundle), {file.bytes().begin(), file.bytes().end()});
}

Result<v1::Calibration> CalibrateOn(const Network& network, const std::string& pictures,
                                    const v1::CalibrateOptions& wanted) {
  if (network.contract.no_picture) return tl::unexpected(*network.contract.no_picture);
  CalibrateOptions options;
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  options.threads = wanted.threads > 0 ? wanted.threads : cores;
  FOGLINE_TRY(options.cuts, ChooseCuts(network.model, wanted.cuts));
  options.levels = wanted.levels;
  std::ranges::sort(options.levels);
  const auto wrong = [](int level) { return level < 2 || level > 8; };
  if (const auto bad = std::ranges::find_if(options.levels, wrong); bad != options.levels.end()) {
    return Fail(ErrorCode::kUsage, "levels", "are from 2 to 8, not {}", *bad);
  }
  bool stop = false;
  if (wanted.progress) {
    options.progress = [&](size_t done, size_t total, std::string_view) {
      stop = stop || !wanted.progress(static_cast<double>(done) / static_cast<double>(total));
    };
    options.stop = [&] { return stop; };
  }
  FOGLINE_TRY(const CalibrationSet set,
              ReadCalibrationSet(pictures, Depth::kFlat, wanted.labels, wanted.most_pictures,
                                 network, options.threads));
  FOGLINE_TRY(const BundleContents contents, Calibrate(network, set, options));
  std::vector<std::byte> file = WriteBundle(contents);
  FOGLINE_TRY(Bundle bundle, Bundle::Parse(file, network.path.string()));
  return Hold(std::move(bundle), std::move(file));
}

Result<v1::Codec> Open(std::string_view name, const Port& port, const Bundle* bundle,
                       uint64_t cut_id) {
  FOGLINE_TRY(const CodecName parsed, ParseCodec(name));
  if (parsed.kind == CodecKind::kQuant && bundle == nullptr) {
    return Fail(ErrorCode::kUsage, std::string(name), "needs a calibration and a cut");
  }
  if (!port.Bytes()) {
    return Fail(ErrorCode::kUsage, port.name, "is {} {}: a codec needs a fixed size",
                DTypeName(port.dtype), port.shape.ToString());
  }
  auto impl = std::make_shared<v1::CodecImpl>();
  FOGLINE_TRY(impl->codec, MakeCodec(parsed, port, bundle, cut_id));
  impl->name = ToString(parsed);
  impl->tensor = Outside(port);
  return v1::Codec(std::move(impl));
}

Result<v1::Codec> OpenAt(std::string_view name, const Model& model, const v1::Cut& named,
                         size_t tensor, const Bundle& bundle) {
  FOGLINE_TRY(const Cut cut, Inside(model, named));
  if (tensor >= cut.tensors.size()) {
    return Fail(ErrorCode::kUsage, cut.name, "has {} tensors that cross: there is no {}",
                cut.tensors.size(), tensor);
  }
  return Open(name, cut.tensors[tensor], &bundle, cut.id);
}

Result<std::vector<std::byte>> EncodeBy(v1::CodecImpl& impl, const v1::TensorView& tensor) {
  FOGLINE_TRY(const TensorView view, Inside(tensor, impl.tensor.name));
  std::vector<std::byte> code;
  const std::lock_guard lock(impl.mutex);
  FOGLINE_CHECK(impl.codec->Encode(view, code));
  return code;
}

Result<v1::Tensor> DecodeBy(v1::CodecImpl& impl, std::span<const std::byte> code) {
  Tensor tensor;  // memory of its own, since the caller keeps it
  const std::lock_guard lock(impl.mutex);
  FOGLINE_CHECK(impl.codec->Decode(code, tensor));
  return Outside(std::move(tensor));
}

}  // namespace

namespace v1 {

Result<Calibration> Calibration::Load(const Model& model, const std::string& path) {
  return Outside(LoadCalibration(model.impl().network.model, path));
}

const std::vector<CalibratedPair>& Calibration::pairs() const { return impl_->pairs; }
int Calibration::images() const { return impl_->bundle.images(); }
std::string Calibration::Svg() const {
  return RateFidelitySvg("calibration", impl_->bundle.pairs());
}
Status Calibration::Write(const std::string& path) const {
  return Outside(WriteFile(path, impl_->file));
}

Result<Calibration> Calibrate(const Model& model, const std::string& pictures,
                              const CalibrateOptions& options) {
  return Outside(CalibrateOn(model.impl().network, pictures, options));
}

Result<Codec> Codec::Make(std::string_view name, const TensorSpec& tensor) {
  const auto port = Inside(tensor);
  if (!port) return Outside(port.error());
  return Outside(Open(name, *port, nullptr, 0));
}

Result<Codec> Codec::Make(std::string_view name, const Model& model, const Cut& cut, size_t tensor,
                          const Calibration& calibration) {
  return Outside(OpenAt(name, model.impl().network.model, cut, tensor, calibration.impl().bundle));
}

const std::string& Codec::name() const { return impl_->name; }
const TensorSpec& Codec::tensor() const { return impl_->tensor; }

Result<std::vector<std::byte>> Codec::Encode(const TensorView& tensor) const {
  return Outside(EncodeBy(*impl_, tensor));
}

Result<Tensor> Codec::Decode(const void* code, size_t bytes) const {
  if (code == nullptr && bytes > 0) {
    return Error{ErrorCode::kUsage, impl_->tensor.name, "has no code: a null pointer"};
  }
  return Outside(DecodeBy(*impl_, {static_cast<const std::byte*>(code), bytes}));
}

}  // namespace v1
}  // namespace fogline
