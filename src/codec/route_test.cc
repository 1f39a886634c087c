#include "codec/route.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <random>
#include <set>

namespace fogline {
namespace {

TEST(Route, ReadsWhatItPrints) {
  Route route;
  route.model = {"litter", 0};
  route.width = route.height = 160;
  route.cut = {"split10", 0};
  route.codecs = {{CodecKind::kQuant, 4}};
  EXPECT_EQ(ToString(route), "litter@160:split10/q4");
  for (const char* text :
       {"litter@160:split10/q4", "litter:edge-only/result", "litter@224x160:input/jpeg:90",
        "twin@96:a,b/q4+f16", "litter:exit=split5@0.9:split10/q4", "m:24/json",
        "+00000000000000ab:+000000000000001f/f16",
        "m+ffffffffffffffff@1x8192:c+1000000000000000/q2", "m:tensor:3,tensor:output/f32+f32",
        "m:/features/conv/Relu_output_0/f16", "m:exit=/a/b+0000000000000001@1e-07:a/f16",
        "%C3%A9t%C3%A9:a%20b%2B/f16", "%2D-x:%2D/f16", "m:exit%3Da%401:x/f16"}) {
    const auto read = ParseRoute(text);
    ASSERT_TRUE(read) << read.error().ToString();
    EXPECT_EQ(ToString(*read), text);
  }
  const Route two = ParseRoute("a@2x3:exit=b@.50:c/raw+webp:7").value();
  EXPECT_EQ(ToString(two), "a@2x3:exit=b@0.5:c/f32+webp:7");
  EXPECT_EQ(two.gate->threshold, 0.5);
  EXPECT_EQ(two.height, 3);
  EXPECT_EQ(ParseRoute("a@160x160:c/f16").value(), ParseRoute("a@160:c/f16").value());
}

/// Any valid route at all.
Route Random(std::mt19937_64& random) {
  const auto below = [&](uint64_t n) { return random() % n; };
  const auto name = [&] {
    RouteName made;
    if (below(4) > 0) {
      for (uint64_t n = 1 + below(12); n > 0; --n) {
        // All bytes, and those that mean something more often than others.
        static constexpr std::string_view kOdd = "+@:/%,-=x. \n\0\xff";
        made.name += below(2) == 0 ? kOdd[below(kOdd.size())] : static_cast<char>(below(256));
      }
    }
    if (made.name.empty() || below(3) == 0) made.id = 1 + below(UINT64_MAX);
    return made;
  };
  Route route;
  route.model = name();
  if (below(3) > 0) {
    route.width = static_cast<int>(1 + below(Route::kMostSide));
    route.height = below(2) == 0 ? route.width : static_cast<int>(1 + below(Route::kMostSide));
  }
  if (below(3) == 0) {
    const double threshold = std::uniform_real_distribution(0.0, 1.0)(random);
    route.gate = ExitGate{name(), below(8) == 0 ? 0.0 : threshold};
  }
  route.cut = name();
  static constexpr std::array kCodecs{
      CodecName{CodecKind::kJson, 0},   CodecName{CodecKind::kF32, 0},
      CodecName{CodecKind::kF16, 0},    CodecName{CodecKind::kQuant, 5},
      CodecName{CodecKind::kJpeg, 100}, CodecName{CodecKind::kWebp, 1}};
  for (uint64_t n = below(4); n > 0; --n) route.codecs.push_back(kCodecs[below(kCodecs.size())]);
  return route;
}

TEST(Route, AnyRouteComesBackFromItsText) {
  std::mt19937_64 random(19);
  std::set<std::string> texts;
  for (int i = 0; i < 20'000; ++i) {
    const Route route = Random(random);
    const std::string text = ToString(route);
    const auto read = ParseRoute(text);
    ASSERT_TRUE(read) << text << ": " << read.error().ToString();
    ASSERT_EQ(*read, route) << text;
    // Nothing that a shell, a log or a flag's parser takes for its own.
    for (const char c : text) {
      ASSERT_TRUE(std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                  std::string_view("._-,/:@+%=").find(c) != std::string_view::npos)
          << text;
    }
    ASSERT_NE(text.front(), '-');
    texts.insert(text);
  }
  EXPECT_GT(texts.size(), 19'900U);
}

TEST(Route, AnyTextIsARouteOrSaysWhatIsWrong) {
  std::mt19937_64 random(20);
  size_t routes = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = ToString(Random(random));
    for (uint64_t n = random() % 3; n > 0 && !text.empty(); --n) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.erase(at, 1);
          break;
        case 1:
          text[at] = "+@:/%,-=x0 \n"[random() % 12];
          break;
        default:
          text.insert(at, 1, "+@:/%,-=x0 \n"[random() % 12]);
      }
    }
    const auto read = ParseRoute(text);
    if (read) {
      ++routes;
      ASSERT_EQ(ParseRoute(ToString(*read)).value(), *read) << text;
    } else {
      ASSERT_EQ(read.error().code, ErrorCode::kUsage);
      ASSERT_FALSE(read.error().message.empty());
      ASSERT_EQ(read.error().ToString().find('\n'), std::string::npos) << text;
    }
  }
  EXPECT_GT(routes, 10'000U);
  EXPECT_LT(routes, 45'000U);
}

TEST(Route, SaysWhatIsWrong) {
  const std::vector<std::pair<const char*, const char*>> wrong{
      {"", "is no route: MODEL[@SIZE]:CUT/CODEC"},
      {"litter", "is no route"},
      {":c/f16", "the model is missing"},
      {"@160:c/f16", "the model is missing"},
      {"m:/f16", "the cut is missing"},
      {"m:c", "says no codec"},
      {"m:c/", "is not a codec"},
      {"m:c/q9", "'q9' is not a codec"},
      {"m:c/jpeg", "did you mean 'jpeg:90'?"},
      {"m:c/q4+", "'' is not a codec"},
      {"m:c/result+q4", "'result' is not a codec"},
      {"m:c/jpeg:101", "the quality after 'jpeg:'"},
      {"m@:c/f16", "the size '' is no number from 1 to 8192"},
      {"m@0:c/f16", "the size '0'"},
      {"m@8193:c/f16", "the size '8193'"},
      {"m@160x:c/f16", "the size '160x'"},
      {"m@-1:c/f16", "the size '-1'"},
      {"m@1x2x3:c/f16", "the size '1x2x3'"},
      {"a b:c/f16", "in the model write ' ' as %20"},
      {"dir/m:c/f16", "in the model write '/' as %2F"},
      {"m:a@b/f16", "in the cut write '@' as %40"},
      {"m:a%/f16", "in the cut two digits"},
      {"m:a%4/f16", "in the cut two digits"},
      {"m:a%zz/f16", "in the cut two digits"},
      {"m+12:c/f16", "'12' is none"},
      {"m+00000000000000AB:c/f16", "after + the model has an id of 16 digits"},
      {"m+0000000000000000:c/f16", "not all 0"},
      {"m:c+-000000000000001/f16", "after + the cut has an id"},
      {"m:exit=a:c/f16", "a gate is written exit=CUT@THRESHOLD:"},
      {"m:exit=a@0.5", "a gate is written exit=CUT@THRESHOLD:"},
      {"m:exit=@0.5:c/f16", "the gate's cut is missing"},
      {"m:exit=a@1.5:c/f16", "the gate's threshold '1.5' is no number from 0 to 1"},
      {"m:exit=a@nan:c/f16", "the gate's threshold 'nan'"},
      {"m:exit=a@:c/f16", "the gate's threshold ''"},
      {"m:exit=a>0.5:c/f16", "a gate is written"},
  };
  for (const auto& [text, says] : wrong) {
    const auto read = ParseRoute(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kUsage) << text;
    EXPECT_EQ(read.error().where, text);
    EXPECT_NE(read.error().message.find(says), std::string::npos)
        << text << ": " << read.error().message;
  }
}

TEST(OneForEach, TakesOneForAllOrOneForEach) {
  const CodecName half{CodecKind::kF16, 0}, q4{CodecKind::kQuant, 4};
  Cut cut;
  cut.name = "a,b";
  cut.tensors = {{"a", DType::kF32, Shape{1, 4}}, {"b", DType::kF32, Shape{1, 4}}};
  EXPECT_EQ(OneForEach(cut, {q4}, "--codec q4").value(), (std::vector{q4, q4}));
  EXPECT_EQ(OneForEach(cut, {q4, half}, "--codec q4+f16").value(), (std::vector{q4, half}));
  for (const size_t many : {0, 3}) {
    const auto refused = OneForEach(cut, std::vector<CodecName>(many, half), "--codec x");
    ASSERT_FALSE(refused) << many;
    EXPECT_EQ(refused.error().ToString(),
              fmt::format("--codec x: names {} codecs, and what crosses at a,b is 2 tensors: give "
                          "one for all or one for each",
                          many));
  }
}

TEST(RouteKey, OnlyAQuantisedTensorNeedsItsCalibration) {
  const HalvesKey halves{1, 2};
  const CodecName f16{CodecKind::kF16, 0}, q4{CodecKind::kQuant, 4}, q5{CodecKind::kQuant, 5};
  EXPECT_EQ(KeyOf(halves, 3, 9, f16), KeyOf(halves, 4, 9, f16));
  EXPECT_NE(KeyOf(halves, 3, 9, q4), KeyOf(halves, 4, 9, q4));
  EXPECT_NE(KeyOf(halves, 3, 9, q4), KeyOf(halves, 3, 9, q5));
  EXPECT_NE(KeyOf({1, 3}, 3, 9, f16), KeyOf(halves, 3, 9, f16));
  EXPECT_NE(KeyOf(halves, 3, 8, q4), KeyOf(halves, 3, 9, q4));
}

}  // namespace
}  // namespace fogline
