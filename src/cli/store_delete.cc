// fogline store delete: what an operator no longer wants kept, shown first and deleted when asked.
#include "store/store_delete.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/process.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/store_commands.h"
#include "web/detection_text.h"
#include "web/parameters.h"

namespace fogline::cli {
namespace {

/// Devices that are named on the terminal; --json has all.
constexpr size_t kDevicesShown = 8;

struct DeleteArgs {
  Common common;
  std::string store, where;
  bool yes = false;
};

/// A filter as the map's address and API have it.
Result<Filter> ParseWhere(const std::string& where) {
  const std::string query = where.starts_with('?') ? where : "?" + where;
  const auto fail = [&](const Error& error) {
    return Fail(ErrorCode::kUsage, "--where " + where, "{} {}", error.where, error.message);
  };
  auto parameters = Parameters::Parse("/" + query);
  if (!parameters) return fail(parameters.error());
  auto filter = parameters->ReadFilter();
  if (!filter) return fail(filter.error());
  if (const Status known = parameters->Finish(); !known) return fail(known.error());
  constexpr auto kLast = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!filter->Selects() && filter->after_id == 0 && filter->before_id >= kLast) {
    return Fail(ErrorCode::kUsage, "--where " + where,
                "lets every row pass; to begin anew, stop the workers and remove the store");
  }
  return filter;
}

void PrintDeleted(const DeleteReport& report, uint64_t of, bool yes) {
  fmt::print("{} {} of {} rows", yes ? "deleted" : "would delete", report.rows, of);
  if (report.rows > 0) {
    fmt::print(", ids {} to {}, {} pictures among them", report.first_id, report.last_id,
               report.pictures);
  }
  fmt::print("\n");
  if (report.timed) {
    fmt::print("captured from {} to {}\n", IsoTime(report.first_us), IsoTime(report.last_us));
  }
  std::vector<std::pair<uint64_t, std::string>> devices;
  for (const auto& [device, rows] : report.devices) devices.emplace_back(rows, device);
  std::ranges::sort(devices, std::greater());
  for (size_t i = 0; i < std::min(devices.size(), kDevicesShown); ++i) {
    fmt::print("  {:>9}  {}\n", devices[i].first, devices[i].second);
  }
  if (devices.size() > kDevicesShown) {
    fmt::print("  and {} devices more\n", devices.size() - kDevicesShown);
  }
  if (!yes && report.rows > 0) fmt::print("nothing was deleted; add --yes to delete them\n");
}

Status RunDelete(const DeleteArgs& args) {
  FOGLINE_TRY(const Filter filter, ParseWhere(args.where));
  // Whoever asks here waits as long as it takes, and needs no mirror for it.
  const StoreOptions options{
      .mirrored_rows = 0, .longest_read = std::chrono::hours(1), .read_only = !args.yes};
  // Where no store is, none is made.
  FOGLINE_CHECK(OpenStore(args.store, {.read_only = true}).map([](const auto&) {}));
  FOGLINE_TRY(const auto store, OpenStore(args.store, options));
  FOGLINE_TRY(const Inventory stock, store->Stock());
  Progress line(args.yes ? "deleting (ids)" : "reading (ids)", stock.last_id);
  uint64_t at = 0;
  const auto progress = [&](const DeleteReport& report) {
    line.Advance(report.last_id - at);
    at = report.last_id;
    return !StopRequested();
  };
  auto report =
      args.yes ? DeleteRows(*store, filter, progress) : CountRows(*store, filter, progress);
  if (!report && args.yes && at > 0) {
    return Fail(report.error().code, report.error().where,
                "{}; what passed up to id {} is deleted, the same command goes on behind it",
                report.error().message, at);
  }
  FOGLINE_CHECK(report.map([](const auto&) {}));
  if (!args.common.json) {
    PrintDeleted(*report, stock.count, args.yes);
    return {};
  }
  Json told{
      {"deleted", args.yes},        {"devices", report->devices}, {"first_id", report->first_id},
      {"last_id", report->last_id}, {"of", stock.count},          {"pictures", report->pictures},
      {"rows", report->rows}};
  fmt::print("{}\n", Dump(told));
  return {};
}

}  // namespace

void AddStoreDelete(Command& store) {
  auto args = std::make_shared<DeleteArgs>();
  Command command =
      store.AddCommand("delete", "Says what of a store passes a filter, and deletes it with --yes");
  AddCommon(command, args->common);
  command
      .Add("store", args->store,
           "sqlite:FILE, redis://[user:password@]host[:port][/db], or "
           "postgresql://user[:password]@host[:port]/database")
      .Env("FOGLINE_STORE")
      .Required();
  command
      .Add("--where", args->where,
           "which rows, as the map's API has it: device=cam-3&from=2026-03-01&to=2026-03-02, "
           "label=…, box=west,south,east,north, positive=1, after=ID, before=ID …")
      .Type("FILTER")
      .Required();
  command.AddFlag("--yes", args->yes, "delete them; without it nothing is changed");
  command
      .Example("fogline store delete sqlite:fogline.db --where 'device=cam-3&from=2026-11-01'",
               "says what would go")
      .Example(
          "fogline store delete sqlite:fogline.db --where 'device=cam-3&from=2026-11-01' --yes",
          "deletes it");
  SetAction(command, std::shared_ptr<Common>(args, &args->common),
            [args] { return RunDelete(*args); });
}

}  // namespace fogline::cli
