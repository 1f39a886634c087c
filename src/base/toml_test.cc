#include "base/toml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/toml_reader.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

TEST(Toml, IsAPlainTree) {
  const auto root = Toml::Parse(
      "name = 'a'\nside = 224\nscale = 0.5\nsame = 2.0\nyes = true\nday = 1979-05-27\n"
      "list = [1, 'b']\n[table]\nz = 1\na = 2\n",
      "a.toml");
  ASSERT_TRUE(root) << root.error().ToString();
  const Toml& t = *root;
  EXPECT_EQ(t["name"].text(), "a");
  EXPECT_FALSE(t["name"].number());
  EXPECT_EQ(t["side"].whole(), 224);
  EXPECT_EQ(t["side"].number(), 224);
  EXPECT_FALSE(t["side"].text());
  EXPECT_EQ(t["scale"].number(), 0.5);
  EXPECT_FALSE(t["scale"].whole());
  EXPECT_EQ(t["same"].whole(), 2);
  EXPECT_EQ(t["yes"].yes(), true);
  EXPECT_TRUE(t.Has("day"));
  EXPECT_FALSE(t["day"].text());
  EXPECT_EQ(t["list"].list().size(), 2U);
  EXPECT_EQ(t["list"][1].text(), "b");
  EXPECT_TRUE(t["list"][2].is_none());
  EXPECT_TRUE(t["table"].is_table());
  EXPECT_EQ(t["table"].table()[0].first, "a");
  EXPECT_EQ(t["table"]["z"].line(), 9);
  // Looking into what is not there finds nothing.
  EXPECT_TRUE(t["nothing"]["inside"][3].is_none());
  EXPECT_FALSE(t.Has("nothing"));
}

TEST(Toml, AMistakeNamesItsLine) {
  const auto bad = Toml::Parse("a = 1\nb = \n", "b.toml");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().ToString(), HasSubstr("b.toml: line 2: "));
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
}

// toml++ recurses once for each part of a key and each value within another: a long key ended the
// process.
TEST(Toml, WhatIsDeeperThanAnyFileIsRefusedBeforeTheParserSeesIt) {
  std::string dotted = "ok = 1\na";
  for (int i = 0; i < 60'000; ++i) dotted += ".a";
  EXPECT_EQ(Toml::Parse(dotted + " = 1\n", "c.toml").error().ToString(),
            "c.toml: line 2: a key of more than 16 parts");
  for (const char* open : {"[", "{a="}) {
    std::string nested = "a = ";
    for (int i = 0; i < 50'000; ++i) nested += open;
    EXPECT_EQ(Toml::Parse(nested, "c.toml").error().ToString(),
              "c.toml: line 1: values more than 16 deep in each other");
  }
  EXPECT_FALSE(Toml::Parse("a = '" + std::string(5'000'000, 'x') + "'", "c.toml"));
}

TEST(Toml, DotsAndBracketsInTextsAndCommentsAreNoDepth) {
  const std::string many(200, '.'), open(200, '[');
  for (const std::string& text :
       {many + open, "\\\"" + many, std::string("'"), std::string("# no comment")}) {
    const auto read =
        Toml::Parse("[a.b.c]\nx = \"" + text + "\" # " + many + open + "\ny = 1.5\n", "c.toml");
    ASSERT_TRUE(read) << read.error().ToString();
    EXPECT_EQ((*read)["a"]["b"]["c"]["y"].number(), 1.5);
  }
  const auto lines = Toml::Parse(
      "x = \"\"\"\n" + many + "\"\n" + open + "\"\"\"\ny = '''" + open + "'\n'''\n'k.k' = 1\n",
      "c.toml");
  ASSERT_TRUE(lines) << lines.error().ToString();
  EXPECT_EQ((*lines)["k.k"].whole(), 1);
  // As many values as one likes beside each other.
  std::string list = "x = [";
  for (int i = 0; i < 5'000; ++i) list += "[1.5, {a.b = 2}],";
  EXPECT_EQ(Toml::Parse(list + "]", "c.toml").value()["x"].list().size(), 5'000U);
}

TEST(TomlReader, ErrorsNameFileAndKey) {
  const Toml root =
      Toml::Parse("[t]\nn = -1\ntext = 3\nfar = inf\nmsitake = 1\n", "c.toml").value();
  const TomlReader reader(root["t"], "c.toml", "t.");
  EXPECT_EQ(reader.Number("m", 0).error().ToString(), "c.toml: lacks the number 't.m'");
  EXPECT_EQ(reader.Number("n", 0).error().ToString(), "c.toml: 't.n' is -1, less than 0");
  EXPECT_EQ(reader.Number("far", 0).error().ToString(), "c.toml: 't.far' is not a number");
  EXPECT_EQ(reader.Text("text").error().ToString(), "c.toml: 't.text' is not a text");
  EXPECT_EQ(reader.NumberOr("m", 0, 7).value(), 7);
  EXPECT_EQ(reader.Text("m").value(), "");
  const std::string known[] = {"n", "text", "far", "mistake"};
  EXPECT_EQ(reader.OnlyKeys(known).error().ToString(),
            "c.toml: unknown key 't.msitake' on line 5 (did you mean 'mistake'?)");
}

}  // namespace
}  // namespace fogline
