#include "cli/tensor_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/npy.h"
#include "base/paths.h"
#include "base/text.h"

namespace fogline::cli {

Result<Feeds> ReadFeeds(const std::vector<std::string>& texts, const std::vector<Port>& inputs) {
  std::vector<std::string> names;
  for (const Port& port : inputs) names.push_back(port.name);
  Feeds feeds;
  for (const std::string& text : texts) {
    const auto bad = [&](const std::string& why) {
      return Fail(ErrorCode::kUsage, "--input " + text, "{}", why);
    };
    const size_t equals = text.find('=');
    const bool named = equals != text.npos;
    if (!named && names.size() != 1) return bad("needs the input's name in front");
    const std::string name = named ? text.substr(0, equals) : names[0];
    if (std::ranges::find(names, name) == names.end()) {
      return bad("is no input of the model" + DidYouMean(name, names));
    }
    if (feeds.contains(name)) return bad("is the second for the same input");
    FOGLINE_TRY(feeds[name], ReadNpy(named ? text.substr(equals + 1) : text));
  }
  return feeds;
}

Result<std::vector<std::filesystem::path>> WriteTensors(const std::filesystem::path& folder,
                                                        std::span<const Port> ports,
                                                        std::span<const Tensor> tensors) {
  FOGLINE_CHECK(MakeFolders(folder));
  std::vector<std::filesystem::path> files;
  std::set<std::string> taken;
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::string stem = FileStem(ports[i].name);
    if (!taken.insert(stem).second) taken.insert(stem += fmt::format("-{}", i));  // cut to one name
    files.push_back(folder / (stem + ".npy"));
    FOGLINE_CHECK(WriteNpy(files.back(), tensors[i].view()));
  }
  return files;
}

}  // namespace fogline::cli
