// fogline map: the map server alone, on a store that workers elsewhere fill.
#include "base/log.h"
#include "base/paths.h"
#include "base/process.h"
#include "cli/command.h"
#include "cli/flags.h"

namespace fogline::cli {
namespace {

/// More than a cloud has: nothing else here needs memory.
constexpr uint64_t kMapMirror = 6'000'000;

}  // namespace

void AddMap(CommandLine& line) {
  struct Args {
    Common common;
    std::string store = "sqlite:fogline.db", models, cache;
    uint64_t mirror = kMapMirror;
    HttpFlags http;
  };
  auto args = std::make_shared<Args>();
  args->http.listen = "127.0.0.1:8080";
  Command command = line.Add("map", "Serves the map of a store that workers elsewhere fill");
  AddCommon(command, args->common);
  AddStoreFlag(command, args->store);
  command
      .Add(
          "--mirror", args->mirror,
          "rows whose places and times are kept in memory, 60 bytes each and 8 a box: hexagons and "
          "time lines of more are counted by the store, slower")
      .ShowDefault();
  AddCacheFlag(command, args->cache);
  command.Add("--models", args->models, "folder of the models that the planner plans for");
  AddHttpFlags(command, args->http);
  command.Example("fogline map --store redis://store.internal:6379/0 --http 127.0.0.1:8080",
                  "the map of a store that workers elsewhere fill");
  SetAction(command, std::shared_ptr<Common>(args, &args->common), [args]() -> Status {
    FOGLINE_CHECK(CheckHttp(args->http));
    if (!args->cache.empty()) FOGLINE_CHECK(MakeFolders(args->cache));
    FOGLINE_TRY(const auto store, OpenStore(args->store, {.mirrored_rows = args->mirror,
                                                          .cache = args->cache,
                                                          .read_only = true}));
    FOGLINE_TRY(const auto web, StartWeb(args->http, args->models, {}, {}, *store));
    LogInfo("map at {}", web->url());
    while (!WaitForStop(std::chrono::hours(1))) {
    }
    return {};
  });
}

}  // namespace fogline::cli
