#include "profile/library.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
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
  return name.find('/') != std::string::npos || name.ends_with(".toml") ||
         std::filesystem::exists(name);
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
  return Fail(ErrorCode::kNotFound, flag, "no machine '{}' in the library{}", name,
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
  return Fail(ErrorCode::kNotFound, flag,
              "no link '{}' in the library{}; or give one inline, e.g. "
              "up=8Mbps,down=30Mbps,rtt=40ms",
              base, DidYouMean(base, LibraryNames("links")));
}

Result<LinkProfile> FindLink(const std::string& name, const std::string& flag) {
  const std::string base = name.substr(0, name.find(','));
  const bool known = FindFile("links", base) != nullptr;
  if (known || !LooksLikeAPath(name)) return FindLibraryLink(name, flag);
  if (!std::filesystem::exists(name) && name.find('=') != std::string::npos) {
    return ParseInlineLink(name);
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(name));
  if (name.ends_with(".toml")) return ParseLink(text, name);
  FOGLINE_TRY(Trace trace, Trace::Parse(text, name));
  return LinkOfTrace(std::move(trace), name);
}

}  // namespace fogline
