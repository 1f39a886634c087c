#include "edge/pace.h"

#include "pace/pace.h"
#include "profile/library.h"

namespace fogline {
namespace {

class Paced final : public Mechanism {
 public:
  Paced(std::unique_ptr<Mechanism> mechanism, const StepTimes& pace)
      : Mechanism(*mechanism), mechanism_(std::move(mechanism)), pace_(pace) {}

  Result<std::unique_ptr<Mechanism>> Another() const override {
    FOGLINE_TRY(auto other, mechanism_->Another());
    return std::make_unique<Paced>(std::move(other), pace_);
  }

  Status Process(const Image& picture, Prepared& out) override {
    FOGLINE_CHECK(mechanism_->Process(picture, out));
    out.prefix_us = HoldTo(pace_.prefix, out.prefix_us);
    out.encode_us = HoldTo(pace_.encode, out.encode_us);
    return {};
  }

 private:
  const std::unique_ptr<Mechanism> mechanism_;
  const StepTimes pace_;
};

}  // namespace

Result<std::unique_ptr<Mechanism>> PaceMechanism(std::unique_ptr<Mechanism> mechanism,
                                                 const Network& network,
                                                 const MechanismOptions& options,
                                                 const std::string& machine) {
  if (options.gate) {
    return Fail(ErrorCode::kUsage, "--pace " + machine,
                "slows whole halves down, not what runs up to an early exit");
  }
  FOGLINE_TRY(const Machine found, FindMachine(machine, "--pace"));
  FOGLINE_TRY(const auto bundle, FindBundle(network, options.bundle));
  const StepTimes pace =
      PaceOf(found, network, mechanism->cut(), mechanism->codec(), bundle ? &*bundle : nullptr);
  return std::make_unique<Paced>(std::move(mechanism), pace);
}

}  // namespace fogline
