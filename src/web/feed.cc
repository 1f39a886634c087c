#include "web/feed.h"

#include <algorithm>
#include <charconv>

namespace fogline {
namespace {

constexpr size_t kChunkRows = 500;
constexpr size_t kChunkBytes = 256 << 10;
constexpr size_t kRingBytes = 4 << 20;
constexpr int kChunksAPoll = 8;

}  // namespace

Status Feed::Start() {
  FOGLINE_TRY(last_, store_.LastId());
  FOGLINE_TRY(forgotten_, store_.ForgottenId());
  FOGLINE_TRY(deletions_, store_.Deletions());
  return {};
}

Status Feed::DropDeleted() {
  FOGLINE_TRY(const uint64_t deletions, store_.Deletions());
  if (deletions == deletions_) return {};
  deletions_ = deletions;
  ring_.clear();
  ring_bytes_ = 0;
  return {};
}

std::shared_ptr<FeedChunk> Feed::Format(uint64_t after,
                                        const std::vector<StoredDetection>& rows) const {
  auto chunk = std::make_shared<FeedChunk>();
  chunk->after = after;
  for (const StoredDetection& row : rows) {
    if (chunk->text.size() >= kChunkBytes) break;
    chunk->last = row.id;
    fmt::format_to(std::back_inserter(chunk->text),
                   "id: {}-{}\nevent: detection\ndata: ", store_.epoch(), row.id);
    JsonWriter json(chunk->text);
    PutDetection(json, row, privacy_);
    chunk->text += "\n\n";
  }
  return chunk;
}

Result<bool> Feed::Poll() {
  FOGLINE_CHECK(DropDeleted());
  FOGLINE_TRY(forgotten_, store_.ForgottenId());
  for (int i = 0; i < kChunksAPoll; ++i) {
    FOGLINE_TRY(const auto rows,
                store_.Query({.after_id = last_}, Order::kOldestFirst, kChunkRows));
    if (rows.empty()) return false;
    ring_.push_back(Format(last_, rows));
    last_ = ring_.back()->last;
    ring_bytes_ += ring_.back()->text.size();
    while (ring_bytes_ > kRingBytes && ring_.size() > 1) {
      ring_bytes_ -= ring_.front()->text.size();
      ring_.pop_front();
    }
    if (rows.size() < kChunkRows && last_ == rows.back().id) return false;
  }
  return true;
}

FeedStart Feed::Resolve(std::string_view event_id) const {
  if (event_id.empty()) return {.after = last_};
  const size_t dash = event_id.find('-');
  uint64_t id = 0;
  if (dash != event_id.npos && event_id.substr(0, dash) == store_.epoch()) {
    const char* end = event_id.data() + event_id.size();
    const auto [stop, error] = std::from_chars(event_id.data() + dash + 1, end, id);
    if (error == std::errc() && stop == end && id <= last_) return {.after = id};
    // A row that another worker stored a moment ago, which this feed has not read yet.
    if (error == std::errc() && stop == end) {
      if (const auto newest = store_.LastId(); newest && id <= *newest) return {.after = id};
    }
  }
  return {.after = last_, .reset = true};
}

std::deque<std::shared_ptr<const FeedChunk>>::const_iterator Feed::Past(uint64_t after) const {
  return std::upper_bound(
      ring_.begin(), ring_.end(), after,
      [](uint64_t id, const std::shared_ptr<const FeedChunk>& chunk) { return id < chunk->last; });
}

std::shared_ptr<const FeedChunk> Feed::Shared(uint64_t after) const {
  const auto past = Past(after);
  const bool here = past != ring_.end() && (*past)->after == after && forgotten_ <= after;
  return here ? *past : nullptr;
}

Result<std::shared_ptr<const FeedChunk>> Feed::Next(uint64_t after) {
  if (after >= last_) return nullptr;
  if (auto shared = Shared(after)) return shared;
  const auto past = Past(after);
  // Behind the ring, or within a chunk: read up to where the next chunk begins.
  Filter filter{.after_id = after, .before_id = last_ + 1};
  if (past != ring_.end()) {
    filter.before_id = ((*past)->after > after ? (*past)->after : (*past)->last) + 1;
  }
  FOGLINE_TRY(const auto rows, store_.Query(filter, Order::kOldestFirst, kChunkRows));
  FOGLINE_TRY(forgotten_, store_.ForgottenId());
  std::shared_ptr<FeedChunk> chunk;
  if (rows.empty()) {
    chunk = std::make_shared<FeedChunk>();
    chunk->after = after;
    chunk->last = filter.before_id - 1;
  } else {
    chunk = Format(after, rows);
  }
  // What lay between will not come any more, and whoever shows it may take it down.
  if (forgotten_ > after) chunk->text.insert(0, Forgotten());
  return chunk;
}

std::string Feed::Forgotten() const {
  std::string text = "event: forgotten\ndata: ";
  JsonWriter json(text);
  json.Object([&] {
    json.Put("oldest", forgotten_ + 1);
    json.Put("deletions", deletions_);
  });
  return text + "\n\n";
}

std::string Feed::Hello(const FeedStart& start) const {
  std::string text = fmt::format("retry: 2000\nid: {}-{}\nevent: {}\ndata: ", store_.epoch(),
                                 start.after, start.reset ? "reset" : "hello");
  JsonWriter json(text);
  json.Object([&] {
    json.Put("epoch", store_.epoch());
    json.Put("last_id", start.after);
    json.Put("deletions", deletions_);
  });
  return text + "\n\n";
}

}  // namespace fogline
