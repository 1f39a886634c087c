#include "profile/library.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"

namespace fogline {
namespace {

const LibraryFile* FindFile(std::string_view folder, std::string_view name) {
  for (const LibraryFile& file : LibraryFiles()) {
    if (file.folder == folder && file.name == name) return &file;
  }
  return nullptr;
}

bool LooksLikeAPath(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(".toml") || Exists(name);
}

/// Where a file's name ends and changes to it begin: "a.up,rtt=40ms". A name may hold commas
/// itself.
size_t EndOfPath(const std::string& name) {
  for (size_t end = name.size(); end != std::string::npos && end > 0;
       end = name.rfind(',', end - 1)) {
    if (Exists(name.substr(0, end))) return end;
  }
  return std::min(name.find(','), name.size());
}

/// Takes "key=value" out of a list joined by commas; the value.
std::string TakeKey(std::string& list, std::string_view key) {
  for (size_t at = 0; at < list.size(); at = std::min(list.find(',', at), list.size() - 1) + 1) {
    if (list.compare(at, key.size(), key) != 0) continue;
    const size_t end = std::min(list.find(',', at), list.size());
    std::string value = list.substr(at + key.size(), end - at - key.size());
    list.erase(at, std::min(end + 1, list.size()) - at);
    if (list.ends_with(',')) list.pop_back();
    return value;
  }
  return {};
}

std::string Where(const LibraryFile& file) {
  return fmt::format("profiles/{}/{}.toml", file.folder, file.name);
}

}  // namespace

std::vector<std::string> LibraryNames(std::string_view folder) {
  std::vector<std::string> names;
  for (const LibraryFile& file : LibraryFiles()) {
    if (file.folder == folder) names.emplace_back(file.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<Machine> FindLibraryMachine(const std::string& name, const std::string& flag) {
  for (const std::string_view folder : {"devices", "clouds"}) {
    if (const LibraryFile* file = FindFile(folder, name)) {
      return ParseMachine(file->text, Where(*file));
    }
  }
  std::vector<std::string> known = LibraryNames("devices");
  const std::vector<std::string> clouds = LibraryNames("clouds");
  known.insert(known.end(), clouds.begin(), clouds.end());
  return Fail(ErrorCode::kNotFound, flag,
              "no machine '{}' in the library{}; 'fogline machines' lists them", name,
              DidYouMean(name, known));
}

Result<Machine> FindMachine(const std::string& name, const std::string& flag) {
  auto machine = FindLibraryMachine(name, flag);
  if (machine || !LooksLikeAPath(name)) return machine;
  FOGLINE_TRY(const std::string text, ReadTextFile(name));
  return ParseMachine(text, name);
}

Result<LinkProfile> FindLibraryLink(const std::string& name, const std::string& flag) {
  const size_t comma = std::min(name.find(','), name.size());
  const std::string base = name.substr(0, comma);
  if (const LibraryFile* file = FindFile("links", base)) {
    FOGLINE_TRY(LinkProfile link, ParseLink(file->text, Where(*file)));
    if (comma == name.size()) return link;
    FOGLINE_CHECK(ApplyLinkText(std::string_view(name).substr(comma + 1), link));
    link.name = name;
    link.title += ", changed";
    return link;
  }
  if (base.find('=') != std::string::npos) return ParseInlineLink(name);
  return Fail(
      ErrorCode::kNotFound, flag,
      "no link '{}' in the library{}; 'fogline links' lists them, and one may be given inline, "
      "e.g. up=8Mbps,down=30Mbps,rtt=40ms",
      base, DidYouMean(base, LibraryNames("links")));
}

Result<LinkProfile> FindLink(const std::string& name, const std::string& flag) {
  const std::string base = name.substr(0, name.find(','));
  if (FindFile("links", base) != nullptr) return FindLibraryLink(name, flag);
  const size_t end = EndOfPath(name);
  const std::string path = name.substr(0, end);
  if (!LooksLikeAPath(path)) return FindLibraryLink(name, flag);
  if (!Exists(path) && name.find('=') != std::string::npos) {
    return ParseInlineLink(name);
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(path));
  std::string changes = name.substr(std::min(end + 1, name.size()));
  LinkProfile link;
  if (path.ends_with(".toml")) {
    FOGLINE_TRY(link, ParseLink(text, path));
  } else {
    const TraceColumns columns{TakeKey(changes, "column="), TakeKey(changes, "unit=")};
    FOGLINE_TRY(Trace trace, Trace::Parse(text, path, columns));
    link = LinkOfTrace(std::move(trace), path);
  }
  FOGLINE_CHECK(ApplyLinkText(changes, link));
  if (end < name.size()) link.name = name;
  return link;
}

}  // namespace fogline
