// The machines and links that come with Fogline, compiled in from profiles/, and those of the user.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "profile/link.h"
#include "profile/machine.h"

namespace fogline {

/// One file of profiles/, as compiled in.
struct LibraryFile {
  std::string_view folder;  // "devices", "links", "clouds"
  std::string_view name;    // without ".toml"
  std::string_view text;
};
std::span<const LibraryFile> LibraryFiles();

/// Names in a folder of the library, sorted.
std::vector<std::string> LibraryNames(std::string_view folder);

/// A machine by its library name (devices and clouds alike: any of them may stand on either side),
/// or from a .toml file. kNotFound offers the nearest names; `flag` is the one to blame.
Result<Machine> FindMachine(const std::string& name, const std::string& flag);

/// The same without looking at any file of the user's: what strangers may ask for.
Result<Machine> FindLibraryMachine(const std::string& name, const std::string& flag);

/// A link by its library name, a library name with changes ("4g,up=3Mbps,rtt=80ms"), inline form
/// ("up=8Mbps,…"), .toml file, or a trace's file.
Result<LinkProfile> FindLink(const std::string& name, const std::string& flag);

/// The first three of these: no file is looked at.
Result<LinkProfile> FindLibraryLink(const std::string& name, const std::string& flag);

}  // namespace fogline
