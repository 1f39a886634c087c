#include "web/readiness.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"

namespace fogline {
namespace {

constexpr Nanos kBetweenProbes = std::chrono::seconds(2);

/// The first thing that is wrong; empty for nothing.
std::string WhyNot(const Status& read, const Status& written,
                   const std::optional<CloudState>& cloud) {
  if (!read) return "the store does not answer";
  if (!cloud) return {};
  if (!cloud->runs) return "the cloud is starting, or ending";
  if (!written && written.error().code == ErrorCode::kExhausted) {
    return "the store has no room for more";
  }
  if (!written) return "the store cannot be written";
  if (cloud->commit_failed) return "the last commit failed";
  if (!cloud->connected) return "the broker is not connected";
  return {};
}

}  // namespace

std::string Readiness::ToJson() const {
  std::string text;
  JsonWriter json(text);
  json.Object([&] {
    json.Put("ready", ready());
    if (!ready()) json.Put("why", why);
    json.Object("store", [&] {
      json.Put("reads", reads);
      if (writes) json.Put("writes", *writes);
      if (cloud && cloud->committed_us != 0) {
        json.Put("last_commit", cloud->committed_us / 1000);
      } else if (cloud) {
        json.Put("last_commit", nullptr);
      }
    });
    if (cloud) json.Object("broker", [&] { json.Put("connected", cloud->connected); });
  });
  return text + "\n";
}

const ReadinessProbe::Tried& ReadinessProbe::Try(bool write) {
  const Nanos now = clock_.Steady();
  if (tried_ && now - tried_at_ < kBetweenProbes) return *tried_;
  tried_at_ = now;
  Tried tried;
  tried.read = store_.LastId().map([](uint64_t) {});
  if (write && tried.read) tried.written = store_.Probe();
  for (const Status* status : {&tried.read, &tried.written}) {
    if (!*status) LogWarning("web: not ready: {}", Printable(status->error().ToString()));
  }
  return tried_.emplace(std::move(tried));
}

Readiness ReadinessProbe::Ask(const std::optional<CloudState>& cloud) {
  const std::lock_guard lock(mutex_);
  const Tried& tried = Try(cloud.has_value());
  Readiness found;
  found.cloud = cloud;
  found.reads = tried.read.has_value();
  if (cloud) found.writes = found.reads && tried.written.has_value();
  found.why = WhyNot(tried.read, tried.written, cloud);
  return found;
}

}  // namespace fogline
