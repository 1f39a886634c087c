// fogline store copy: from one store into another, while both are worked with.
#include "store/store_copy.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/process.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/store_commands.h"

namespace fogline::cli {
namespace {

struct CopyArgs {
  Common common;
  std::string from, to;
};

/// A line on the terminal that knows how far it is.
class CopyLine {
 public:
  bool Show(const CopyReport& report) {
    if (report.verifying && !verifying_) line_.reset();
    if (!line_) {
      verifying_ = report.verifying;
      at_ = verifying_ ? 0 : report.began_after;
      line_.emplace(verifying_ ? "comparing (ids)" : "copying (ids)", report.end - at_);
    }
    line_->Advance(report.at - at_);
    at_ = report.at;
    return !StopRequested();
  }

 private:
  std::optional<Progress> line_;
  bool verifying_ = false;
  uint64_t at_ = 0;
};

void PrintCopy(const CopyReport& r) {
  fmt::print("copied {} rows, up to id {} of the source; {} were there before\n", r.copied, r.end,
             r.known);
  if (r.repaired > 0) fmt::print("{} had gone missing and were copied again\n", r.repaired);
  fmt::print("compared {} rows: equal, SHA-256 {} of both\n", r.compared, r.checksum_to);
  if (r.own > 0)
    fmt::print("{} came into the target from elsewhere, and stay as they are\n", r.own);
  if (r.forgotten > 0) fmt::print("{} were forgotten by the target since\n", r.forgotten);
  fmt::print("what was stored in the source since is not copied; the same command goes on there\n");
}

Status RunCopy(const CopyArgs& args) {
  // Where no store is, none is made; to read one, SELECT is enough.
  FOGLINE_TRY(const auto from, OpenStore(args.from, {.read_only = true}));
  FOGLINE_TRY(const auto to, OpenStore(args.to));
  CopyLine line;
  uint64_t at = 0;
  auto copied = CopyStore(*from, *to, {.progress = [&](const CopyReport& report) {
    if (!report.verifying) at = report.at;
    return line.Show(report);
  }});
  if (!copied) {
    const Error& error = copied.error();
    if (at == 0 || error.code == ErrorCode::kConflict) return Forward(std::move(copied));
    return Fail(error.code, error.where,
                "{}; what is there up to id {} stays, the same command "
                "goes on behind it",
                error.message, at);
  }
  const CopyReport& r = *copied;
  if (!args.common.json) {
    PrintCopy(r);
    return {};
  }
  fmt::print("{}\n", Dump(Json{{"began_after", r.began_after},
                               {"end", r.end},
                               {"copied", r.copied},
                               {"known", r.known},
                               {"compared", r.compared},
                               {"repaired", r.repaired},
                               {"own", r.own},
                               {"forgotten", r.forgotten},
                               {"settled", r.settled},
                               {"sha256", r.checksum_to}}));
  return {};
}

}  // namespace

void AddStoreCopy(Command& store) {
  auto args = std::make_shared<CopyArgs>();
  Command command = store.AddCommand(
      "copy", "Copies what a store holds now into another, and holds both against each other");
  AddCommon(command, args->common);
  command
      .Add("from", args->from,
           "sqlite:FILE, redis://[user:password@]host[:port][/db], or "
           "postgresql://user[:password]@host[:port]/database")
      .Env("FOGLINE_COPY_FROM")
      .Required();
  command.Add("to", args->to, "the same of the one that is filled; it may hold other rows already")
      .Env("FOGLINE_COPY_TO")
      .Required();
  command.Example("fogline store copy sqlite:fogline.db redis://store.internal:6379/0",
                  "into another store; again brings what is new");
  SetAction(command, std::shared_ptr<Common>(args, &args->common),
            [args] { return RunCopy(*args); });
}

}  // namespace fogline::cli
