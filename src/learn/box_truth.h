// What is to be seen in pictures, as somebody labelled it: COCO's JSON, or a folder of texts as
// YOLO's tools write them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/average_precision.h"
#include "vision/card.h"
#include "vision/folder.h"

namespace fogline {

/// The objects of each labelled picture, by the name that the truth gives it: with the ending where
/// `with_ending`, as COCO has it, else without.
struct BoxTruth {
  std::map<std::string, std::vector<TrueBox>> pictures;
  bool with_ending = false;
  /// Labels of no class of the model, with how many objects have them: those are left out.
  std::map<std::string, size_t> unknown;
  /// Boxes without a size, left out as well.
  size_t empty = 0;

  /// What it says of files.
  struct OfFiles {
    std::vector<const std::vector<TrueBox>*> objects;  // of each; null where nobody labelled it
    std::vector<std::string> elsewhere;                // labelled names that no file has
  };
  /// `files` lie in `folder` or below it: see vision/picture_names.h. kInvalid where a name may
  /// mean two files, or two names one.
  Result<OfFiles> Among(const std::filesystem::path& folder,
                        const std::vector<std::filesystem::path>& files) const;
};

/// Reads COCO's JSON (images, annotations, categories; iscrowd is a crowd), or a folder of texts,
/// one line an object: the class by its number, then centre x, centre y, width and height in parts
/// of the picture. A category is the card's label of that name (in any case); where the card has no
/// labels, categories in the order of their ids are the `classes` by their numbers, if they are as
/// many. kInvalid names the file and line at fault. `depth`: texts of sub-folders as well.
Result<BoxTruth> ReadBoxTruth(const std::filesystem::path& truth, const ModelCard& card,
                              size_t classes, Depth depth = Depth::kFlat);

}  // namespace fogline
