// Where the line runs for one device, and what a fleet should run for the least money.
#include <fogline/cost.h>
#include <fogline/plan.h>

#include <cstdio>

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: plan_fleet MODEL.onnx SCENARIO.toml\n");
    return 2;
  }
  const fogline::Model model = fogline::Model::Load(argv[1]).value();
  fogline::PlanRequest request;
  request.edge = "raspberry-pi-3b-plus";
  request.cloud = "t2.micro";
  request.link = "4g";
  const fogline::Plan plan = fogline::MakePlan(model, request).value();
  const fogline::Candidate best = plan.best();
  std::printf("one device: %s, %.1f ms, %.0f bytes a picture\n", best.route.c_str(),
              best.latency_ms, best.bytes);

  const fogline::FleetPlan fleet = fogline::PlanFleet(argv[2]).value();
  std::printf("%.0f devices: %.0f euro a month\n", fleet.devices, fleet.euro_month);
  for (const fogline::FleetChoice& choice : fleet.groups) {
    std::printf("  %s: %s on %s, %.2f euro a device\n", choice.group.c_str(), choice.option.c_str(),
                choice.edge.c_str(), choice.total);
  }
} catch (const fogline::Failure& failure) {
  std::fprintf(stderr, "plan_fleet: %s\n", failure.what());
  return 1;
}
