#include "store/word_memory.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

// However long names are, and however many.
TEST(WordMemory, IsFullByBytes) {
  for (const size_t length : {1U, 256U}) {
    WordMemory words;
    int64_t number = 0;
    while (!words.full()) {
      ++number;
      std::string text = std::to_string(number);
      text.resize(std::max(text.size(), length), ' ');
      words.Remember(number, text);
      ASSERT_EQ(words.NumberOf(text), number);
      ASSERT_EQ(*words.TextOf(number), text);
    }
    EXPECT_GT(words.bytes(), 2 * length * static_cast<size_t>(number));
    EXPECT_LT(words.bytes(), WordMemory::kMost + 1024);
    words.Forget();
    EXPECT_FALSE(words.full());
    EXPECT_EQ(words.NumberOf("1"), 0);
    EXPECT_EQ(words.TextOf(1), nullptr);
  }
}

}  // namespace
}  // namespace fogline
