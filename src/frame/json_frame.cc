#include "frame/json_frame.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"
#include "codec/codec.h"
#include "frame/json_findings.h"
#include "vision/findings_json.h"

namespace fogline {
namespace {

// Outside a JSON string this sequence is a key of the frame itself: inside one its quotes would be
// escaped.
constexpr std::string_view kData = ",\"data\":";
constexpr size_t kMaxHeader = 16384;

tl::unexpected<Error> BadJson(const char* what) {
  return Fail(ErrorCode::kInvalid, "JSON frame", "{}", what);
}

Json Number(float value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// Typed look-ups that remember whether any failed.
class Header {
 public:
  explicit Header(const Json& object) : object_(object) {}
  template <typename T>
  T Get(const char* key, T otherwise) {
    const auto it = object_.find(key);
    if (it == object_.end() || it->is_null()) return otherwise;
    if constexpr (std::is_same_v<T, std::string>) {
      if (it->is_string()) return it->get<std::string>();
    } else if constexpr (std::is_same_v<T, bool>) {
      if (it->is_boolean()) return it->get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      // Numbers from 0 up are read as unsigned ones, whatever their size.
      if (it->is_number_unsigned() && std::in_range<T>(it->get<uint64_t>())) return it->get<T>();
      if (it->is_number_integer() && !it->is_number_unsigned() &&
          std::in_range<T>(it->get<int64_t>())) {
        return it->get<T>();
      }
    } else {
      constexpr double kMost = std::numeric_limits<T>::max();
      if (it->is_number() && std::abs(it->get<double>()) <= kMost) return it->get<T>();
    }
    ok = false;
    return otherwise;
  }
  bool ok = true;

 private:
  const Json& object_;
};

/// The header's object and where the data begin; no object where there is no header.
std::pair<Json, size_t> ParseHeader(std::string_view text) {
  constexpr std::string_view kOpen = "{\"header\":";
  const size_t at = text.substr(0, kMaxHeader).find(kData);
  if (!text.starts_with(kOpen) || at == text.npos) return {};
  return {ParseJson(text.substr(kOpen.size(), at - kOpen.size()), "header").value_or(Json()),
          at + kData.size()};
}

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What the device measured of this frame and earlier ones, and what it says of its others.
Status ReadTimes(const Json& object, Header& header, Frame& frame) {
  if (const auto stages = object.find("stages_us");
      stages != object.end() && stages->is_array() && stages->size() == 5) {
    uint32_t* const to[] = {&frame.stages.read, &frame.stages.resize, &frame.stages.prefix,
                            &frame.stages.encode, &frame.stages.window};
    for (size_t i = 0; i < 5; ++i) {
      if (!(*stages)[i].is_number_unsigned() ||
          !std::in_range<uint32_t>((*stages)[i].get<uint64_t>())) {
        return BadJson("has stages that are no durations");
      }
      *to[i] = (*stages)[i].get<uint32_t>();
    }
  }
  if (const auto settled = object.find("settled"); settled != object.end() && settled->is_array()) {
    if (settled->size() > Frame::kMaxSettled) return BadJson("has too many settled times");
    for (const Json& entry : *settled) {
      if (!entry.is_object()) return BadJson("has settled times that are none");
      Header inner(entry);
      frame.settled.push_back(
          {inner.Get<uint64_t>("sequence", 0), inner.Get<uint32_t>("network_us", 0)});
      header.ok = header.ok && inner.ok;
    }
  }
  if (const auto counts = object.find("counts"); counts != object.end() && counts->is_object()) {
    Header inner(*counts);
    frame.counts = {inner.Get<uint32_t>("waiting", 0), inner.Get<uint32_t>("dead", 0),
                    inner.Get<uint32_t>("dropped", 0)};
    header.ok = header.ok && inner.ok;
  }
  return {};
}

/// A result, with findings where `findings` holds some.
Status ReadResult(const Json& object, std::string_view findings, Header& header, Frame& frame,
                  std::vector<std::byte>& scratch) {
  if (const auto found = object.find("result"); found != object.end() && found->is_object()) {
    Header inner(*found);
    ResultPayload result{inner.Get<int32_t>("label", -1), inner.Get<float>("score", -1),
                         inner.Get<bool>("positive", false), inner.Get<std::string>("text", ""),
                         std::nullopt};
    header.ok = header.ok && inner.ok;
    if (!findings.empty()) {
      FOGLINE_TRY(result.findings, ParseFindingsJson(findings));
      if (auto* one = std::get_if<ClassFindings>(&*result.findings)) {
        one->label = result.label;
        one->score = std::clamp(result.score, 0.0F, 1.0F);
      }
    }
    scratch.clear();
    WriteResult(result, scratch);
    frame.payloads.push_back({Role::kResult, 0, 0, DType::kUndefined, {}, scratch});
  }
  return {};
}

/// One tensor, described by `object` and written out in `data`.
Status ReadTensor(const Json& object, std::string_view data, Header& header, Frame& frame) {
  Payload payload;
  payload.codec = static_cast<uint8_t>(CodecKind::kJson);
  payload.tensor = header.Get<uint32_t>("tensor", 0);
  payload.dtype = static_cast<DType>(header.Get<uint8_t>("dtype", 0));
  std::vector<int64_t> dims;
  if (const auto shape = object.find("shape"); shape != object.end() && shape->is_array()) {
    for (const Json& d : *shape) dims.push_back(d.is_number_unsigned() ? d.get<int64_t>() : -1);
  }
  payload.shape = Shape(dims);
  const auto elements = payload.shape.Elements();
  if (dims.size() > Shape::kMaxRank || !elements || *elements > (int64_t{1} << 31))
    return BadJson("has no valid shape");
  payload.bytes = std::as_bytes(std::span(data.data(), data.size()));
  frame.payloads.push_back(payload);
  return {};
}

/// The elements of a list of lists and numbers as they are written; nothing where it is none. What
/// they hold is their decoders' business.
std::optional<std::vector<std::string_view>> Elements(std::string_view list) {
  if (list.size() < 2 || list.front() != '[' || list.back() != ']') return std::nullopt;
  list = list.substr(1, list.size() - 2);
  std::vector<std::string_view> elements;
  int depth = 0;
  size_t start = 0;
  for (size_t at = 0; at < list.size(); ++at) {
    depth += list[at] == '[' ? 1 : list[at] == ']' ? -1 : 0;
    if (depth < 0) return std::nullopt;
    if (depth > 0 || list[at] != ',') continue;
    elements.push_back(list.substr(start, at - start));
    start = at + 1;
    if (elements.size() > Route::kMostTensors) return std::nullopt;
  }
  if (depth != 0) return std::nullopt;
  elements.push_back(list.substr(start));
  return elements;
}

/// Several tensors: the header describes them in their order, the data are a list of them.
Status ReadTensors(const Json& object, std::string_view data, Header& header, Frame& frame) {
  const auto tensors = object.find("tensors");
  if (tensors == object.end()) return ReadTensor(object, data, header, frame);
  const auto elements = Elements(data);
  if (!tensors->is_array() || !elements || elements->size() != tensors->size() ||
      elements->size() > Route::kMostTensors) {
    return BadJson("does not hold as many tensors as its header says");
  }
  for (size_t i = 0; i < elements->size(); ++i) {
    const Json& one = (*tensors)[i];
    if (!one.is_object()) return BadJson("has tensors that are none");
    Header inner(one);
    FOGLINE_CHECK(ReadTensor(one, (*elements)[i], inner, frame));
    header.ok = header.ok && inner.ok;
  }
  return {};
}

/// What describes an activation in the header.
Json Described(const Payload& payload) {
  Json described{{"dtype", static_cast<int>(payload.dtype)},
                 {"shape", std::vector<int64_t>(payload.shape.begin(), payload.shape.end())}};
  if (payload.tensor != 0) described["tensor"] = payload.tensor;
  return described;
}

}  // namespace

bool IsJsonFrame(std::span<const std::byte> bytes) {
  return !bytes.empty() && bytes[0] == std::byte{'{'};
}

Status WriteJsonFrame(const Frame& frame, std::vector<std::byte>& out) {
  Json header{{"device", frame.device},
              {"run", frame.run},
              {"sequence", frame.sequence},
              {"captured_us", frame.captured_us},
              {"captured_from", ToString(frame.captured_from)},
              {"model", frame.model},
              {"cut", frame.cut},
              {"stages_us",
               {frame.stages.read, frame.stages.resize, frame.stages.prefix, frame.stages.encode,
                frame.stages.window}}};
  if (frame.has_position) {
    header["lat"] = frame.lat;
    header["lon"] = frame.lon;
    header["accuracy_m"] = Number(frame.accuracy_m);
    header["heading_deg"] = Number(frame.heading_deg);
  }
  if (frame.picture.width > 0) {
    header["picture_width"] = frame.picture.width;
    header["picture_height"] = frame.picture.height;
  }
  for (const Settled& settled : frame.settled) {
    header["settled"].push_back(
        {{"sequence", settled.sequence}, {"network_us", settled.network_us}});
  }
  if (frame.counts) {
    header["counts"] = {{"waiting", frame.counts->waiting},
                        {"dead", frame.counts->dead},
                        {"dropped", frame.counts->dropped}};
  }
  std::vector<std::span<const std::byte>> data;
  std::string findings;
  Json tensors = Json::array();
  for (const Payload& payload : frame.payloads) {
    if (payload.role == Role::kResult) {
      FOGLINE_TRY(const ResultPayload result, ParseResult(payload.bytes));
      if (result.findings) {
        findings.push_back('{');
        AppendFindingsJson(findings, *result.findings);
        findings += '}';
        data.push_back(std::as_bytes(std::span(findings)));
      }
      header["result"] = {{"label", result.label},
                          {"score", result.score},
                          {"positive", result.positive},
                          {"text", result.text}};
    } else if (payload.role == Role::kActivation &&
               payload.codec == static_cast<uint8_t>(CodecKind::kJson)) {
      tensors.push_back(Described(payload));
      data.push_back(payload.bytes);
    } else {
      return Fail(ErrorCode::kUsage, "--wire json",
                  "carries results and tensors coded as json only");
    }
  }
  if (tensors.size() == 1) header.update(tensors[0]);
  const bool several = tensors.size() > 1;
  if (several) header["tensors"] = std::move(tensors);
  out.clear();
  ByteWriter writer(out);
  writer.Append("{\"header\":");
  writer.Append(Dump(header));
  writer.Append(kData);
  if (data.empty() || (!several && data[0].empty())) writer.Append("null");
  if (several) writer.Append("[");
  for (size_t i = 0; i < data.size(); ++i) {
    if (i > 0) writer.Append(",");
    writer.Append(data[i]);
  }
  if (several) writer.Append("]");
  writer.Append("}");
  return {};
}

std::optional<FrameHead> ReadJsonFrameHead(std::span<const std::byte> bytes) {
  const auto [object, data_at] = ParseHeader(Text(bytes));
  if (!object.is_object()) return std::nullopt;
  Header header(object);
  const FrameHead head{header.Get<uint64_t>("run", 0), header.Get<uint64_t>("sequence", 0),
                       header.Get<uint64_t>("model", 0), header.Get<uint64_t>("cut", 0), 0};
  return header.ok ? std::optional(head) : std::nullopt;
}

Status ParseJsonFrame(std::span<const std::byte> bytes, Frame& frame,
                      std::vector<std::byte>& scratch) {
  frame.Reset();
  const std::string_view text = Text(bytes);
  const auto [object, data_at] = ParseHeader(text);
  if (data_at == 0 || !text.ends_with('}')) return BadJson("is not {\"header\":{…},\"data\":…}");
  if (!object.is_object()) return BadJson("has no readable header");
  Header header(object);
  frame.device = header.Get<std::string>("device", "");
  frame.run = header.Get<uint64_t>("run", 0);
  frame.sequence = header.Get<uint64_t>("sequence", 0);
  frame.captured_us = header.Get<int64_t>("captured_us", 0);
  // A device that does not know this key has no clock but its own.
  const auto source = ParseTimeSource(header.Get<std::string>("captured_from", "clock"));
  if (!source) return BadJson("has a time of an unknown source");
  if (*source == TimeSource::kNone && frame.captured_us != 0)
    return BadJson("has a time of no source");
  frame.captured_from = *source;
  frame.model = header.Get<uint64_t>("model", 0);
  frame.cut = header.Get<uint64_t>("cut", 0);
  // null is as good as absent: a device whose receiver has no fix writes it.
  const double lat = header.Get<double>("lat", NAN), lon = header.Get<double>("lon", NAN);
  if (!std::isnan(lat) || !std::isnan(lon)) {
    frame.has_position = true;
    frame.lat = lat;
    frame.lon = lon;
    frame.accuracy_m = header.Get<float>("accuracy_m", frame.accuracy_m);
    frame.heading_deg = header.Get<float>("heading_deg", frame.heading_deg);
  }
  frame.picture = {header.Get<uint16_t>("picture_width", 0),
                   header.Get<uint16_t>("picture_height", 0)};
  FOGLINE_CHECK(ReadTimes(object, header, frame));
  const std::string_view data = text.substr(data_at, text.size() - data_at - 1);
  const bool is_findings = data.starts_with('{');  // a tensor is a list
  FOGLINE_CHECK(ReadResult(object, is_findings ? data : "", header, frame, scratch));
  if (data != "null" && !is_findings) FOGLINE_CHECK(ReadTensors(object, data, header, frame));
  const bool on_globe = std::abs(frame.lat) <= 90 && std::abs(frame.lon) <= 180;
  if (!header.ok || !IsDeviceName(frame.device) || !on_globe)
    return BadJson("has a malformed header");
  return {};
}

}  // namespace fogline
