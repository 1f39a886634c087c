#include "learn/box_truth.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "base/paths.h"
#include "base/text.h"
#include "vision/class_name.h"
#include "vision/picture_names.h"

namespace fogline {
namespace {

/// What belongs to the picture of a box that has a size there; it is cut off at the edges.
void Add(const std::string& label, double x, double y, double w, double h, bool crowd,
         BoxTruth& truth, std::vector<TrueBox>& boxes) {
  const double left = std::clamp(x, 0.0, 1.0), right = std::clamp(x + w, 0.0, 1.0);
  const double top = std::clamp(y, 0.0, 1.0), bottom = std::clamp(y + h, 0.0, 1.0);
  if (!(right > left && bottom > top)) {
    ++truth.empty;
    return;
  }
  boxes.push_back({label, static_cast<float>(left), static_cast<float>(top),
                   static_cast<float>(right - left), static_cast<float>(bottom - top), crowd});
}

tl::unexpected<Error> Bad(const std::filesystem::path& file, const std::string& what) {
  return Fail(ErrorCode::kInvalid, file.string(), "{}", what);
}

/// COCO's categories as labels of the model; none for those that are no class of it.
struct Categories {
  std::map<int64_t, std::string> names;
  std::map<int64_t, std::optional<std::string>> labels;
};

Result<Categories> ReadCategories(const std::filesystem::path& file, const Json& root,
                                  const ModelCard& card, size_t classes) {
  Categories read;
  for (const Json& category : root.value("categories", Json::array())) {
    if (!category.is_object() || !category.contains("id") || !category["id"].is_number_integer() ||
        !category.contains("name") || !category["name"].is_string()) {
      return Bad(file, "has a category without an id or a name");
    }
    read.names[category["id"].get<int64_t>()] = category["name"].get<std::string>();
  }
  if (read.names.empty()) return Bad(file, "has no categories");
  const bool by_number = card.labels.empty() && read.names.size() == classes;
  int number = 0;
  for (const auto& [id, name] : read.names) {
    const auto labelled = by_number ? std::optional(number++) : ClassLabelled(name, card);
    read.labels[id] = labelled ? std::optional(card.LabelOf(*labelled)) : std::nullopt;
  }
  return read;
}

struct CocoImage {
  std::string name;
  double width = 0, height = 0;
};

Result<std::map<int64_t, CocoImage>> ReadImages(const std::filesystem::path& file,
                                                const Json& root) {
  std::map<int64_t, CocoImage> images;
  for (const Json& image : root.value("images", Json::array())) {
    const auto number = [&](const char* key) {
      return image.is_object() && image.contains(key) && image[key].is_number()
                 ? image[key].get<double>()
                 : 0;
    };
    const CocoImage one{image.is_object() ? image.value("file_name", Json()).is_string()
                                                ? image["file_name"].get<std::string>()
                                                : ""
                                          : "",
                        number("width"), number("height")};
    if (one.name.empty() || !(one.width > 0 && one.height > 0) || !image.contains("id") ||
        !image["id"].is_number_integer()) {
      return Bad(file, "has an image without id, file_name, width or height");
    }
    images[image["id"].get<int64_t>()] = one;
  }
  if (images.empty()) return Bad(file, "has no images");
  return images;
}

Result<BoxTruth> ReadCoco(const std::filesystem::path& file, const ModelCard& card,
                          size_t classes) {
  FOGLINE_TRY(const std::string text, ReadTextFile(file));
  FOGLINE_TRY(const Json root, ParseJson(text, file.string()));
  if (!root.is_object()) return Bad(file, "is no COCO JSON: an object with images is due");
  FOGLINE_TRY(const auto images, ReadImages(file, root));
  FOGLINE_TRY(const Categories categories, ReadCategories(file, root, card, classes));
  BoxTruth truth;
  truth.with_ending = true;
  for (const auto& [id, image] : images) {
    truth.pictures[image.name];
  }
  size_t number = 0;
  for (const Json& one : root.value("annotations", Json::array())) {
    ++number;
    const auto whole = [&](const char* key) {
      return one.is_object() && one.contains(key) && one[key].is_number_integer()
                 ? one[key].get<int64_t>()
                 : -1;
    };
    const auto image = images.find(whole("image_id"));
    const auto label = categories.labels.find(whole("category_id"));
    const Json box = one.is_object() ? one.value("bbox", Json()) : Json();
    const bool numbers = box.is_array() && box.size() == 4 &&
                         std::ranges::all_of(box, [](const Json& v) { return v.is_number(); });
    if (image == images.end() || label == categories.labels.end() || !numbers) {
      return Bad(file, fmt::format("has no bbox, image or category for its annotation {}", number));
    }
    if (!label->second) {
      ++truth.unknown[categories.names.at(label->first)];
      continue;
    }
    const CocoImage& in = image->second;
    Add(*label->second, box[0].get<double>() / in.width, box[1].get<double>() / in.height,
        box[2].get<double>() / in.width, box[3].get<double>() / in.height, whole("iscrowd") == 1,
        truth, truth.pictures[in.name]);
  }
  return truth;
}

Status ReadYolo(const std::filesystem::path& file, const std::string& name, const ModelCard& card,
                size_t classes, BoxTruth& truth) {
  FOGLINE_TRY(const std::string text, ReadTextFile(file));
  std::vector<TrueBox>& boxes = truth.pictures[name];
  std::istringstream lines(text);
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    std::istringstream words(line);
    double label = -1, x = 0, y = 0, w = 0, h = 0;
    if (!(words >> label >> x >> y >> w >> h) || label < 0 || label != std::floor(label)) {
      return Bad(file,
                 fmt::format("line {}: a class, centre x, y, width and height in parts of the "
                             "picture are due",
                             number));
    }
    if (label >= static_cast<double>(classes > 0 ? classes : 1'000'000)) {
      ++truth.unknown[fmt::format("class {}", label)];
      continue;
    }
    Add(card.LabelOf(static_cast<int>(label)), x - w / 2, y - h / 2, w, h, false, truth, boxes);
  }
  return {};
}

/// The texts of a folder and, where asked for, of those below it, each by its path without ending.
Status ReadTexts(const std::filesystem::path& folder, const std::filesystem::path& below,
                 const ModelCard& card, size_t classes, Depth depth, BoxTruth& truth) {
  FOGLINE_TRY(const auto entries, EntriesOf(folder / below));
  for (const std::filesystem::path& file : entries) {
    const std::filesystem::path name = below / file.filename();
    if (file.extension() == ".txt") {
      FOGLINE_CHECK(ReadYolo(file, std::filesystem::path(name).replace_extension().generic_string(),
                             card, classes, truth));
    } else if (depth == Depth::kRecursive && IsFolder(file) && !IsLink(file)) {
      FOGLINE_CHECK(ReadTexts(folder, name, card, classes, depth, truth));
    }
  }
  return {};
}

}  // namespace

Result<BoxTruth::OfFiles> BoxTruth::Among(const std::filesystem::path& folder,
                                          const std::vector<std::filesystem::path>& files) const {
  const PictureNames names(folder, files, with_ending);
  OfFiles of;
  of.objects.resize(files.size());
  std::map<size_t, std::string> named;
  for (const auto& [name, objects] : pictures) {
    const std::vector<size_t> meant = names.Find(name);
    if (meant.empty()) {
      of.elsewhere.push_back(name);
      continue;
    }
    if (meant.size() > 1) {
      return Bad(folder, fmt::format("has {} pictures that the truth's '{}' may mean, {} and {}: "
                                     "name it with its sub-folder there",
                                     meant.size(), Printable(name), files[meant[0]].string(),
                                     files[meant[1]].string()));
    }
    const auto [before, fresh] = named.try_emplace(meant.front(), name);
    if (!fresh) {
      return Bad(files[meant.front()],
                 fmt::format("is labelled twice in the truth, as '{}' and as '{}'",
                             Printable(before->second), Printable(name)));
    }
    of.objects[meant.front()] = &objects;
  }
  return of;
}

Result<BoxTruth> ReadBoxTruth(const std::filesystem::path& truth, const ModelCard& card,
                              size_t classes, Depth depth) {
  if (!IsFolder(truth)) return ReadCoco(truth, card, classes);
  BoxTruth read;
  FOGLINE_CHECK(ReadTexts(truth, "", card, classes, depth, read));
  if (read.pictures.empty()) {
    return Bad(truth, "holds no text with boxes (one NAME.txt beside each picture's name)");
  }
  return read;
}

}  // namespace fogline
