#include "plan/input.h"

#include "base/log.h"
#include "profile/library.h"

namespace fogline {

Status CheckPlaces(const PlanPlaces& places, const PlanRequest& request) {
  FOGLINE_CHECK(ParseObjective(request.objective).map([](const auto&) {}));
  FOGLINE_CHECK(FindLink(places.link, "--link").map([](const auto&) {}));
  for (const auto& [name, flag] : {std::pair(places.edge, "--edge"), {places.cloud, "--cloud"}}) {
    if (!name.ends_with(".json")) FOGLINE_CHECK(FindMachine(name, flag).map([](const auto&) {}));
  }
  return {};
}

Result<std::unique_ptr<PlanInput>> MakePlanInput(Network network, const PlanPlaces& places,
                                                 const PlanRequest& request) {
  auto input = std::make_unique<PlanInput>(PlanInput{std::move(network), {}, {}});
  const Model& model = input->network.model;
  if (places.bundle.empty()) {
    input->bundle = BundleBeside(model, input->network.path);
  } else {
    FOGLINE_TRY(input->bundle, LoadBundleOf(model, places.bundle));
  }
  FOGLINE_TRY(LinkProfile link, FindLink(places.link, "--link"));
  FOGLINE_TRY(PlanSide edge, LoadSide(model, places.edge, "--edge"));
  FOGLINE_TRY(PlanSide cloud, LoadSide(model, places.cloud, "--cloud"));
  for (const PlanSide* side : {&edge, &cloud}) {
    if (!side->timing.integers_as_float) continue;
    LogWarning(
        "layers in 8-bit integers are timed as float ones on {}: how fast they are is unknown "
        "there; 'fogline profile' measures it",
        side->machine.name);
  }
  FOGLINE_TRY(std::vector<Cut> cuts, ListCuts(model));
  FOGLINE_TRY(input->scenario, MakeScenario(request, input->network, std::move(cuts),
                                            input->bundle ? &*input->bundle : nullptr,
                                            std::move(edge), std::move(cloud), std::move(link)));
  return input;
}

}  // namespace fogline
