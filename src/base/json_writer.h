// JSON written straight onto the end of a text: for what is written often. What is built in pieces
// or read back is a Json (base/json.h).
#pragma once

#include <cmath>
#include <concepts>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/format.h"
#include "base/text.h"

namespace fogline {

/// A number that is written with so many significant digits.
struct Rounded {
  double value;
  int digits;
};

/// Commas and braces are its own affair:
///
///     JsonWriter json(out);
///     json.Object([&] {
///       json.Put("label", label);
///       json.Put("score", Rounded{score, 4});
///       json.List("boxes", boxes, [&](const Box& box) { json.Object([&] { … }); });
///     });
///
/// Numbers are written with the fewest digits that are read as the same, those that JSON has no
/// word for as null. Not thread-safe; the text must outlive it.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  /// Members for an object that somebody else has begun; `first`: none stands there yet.
  static JsonWriter Within(std::string& out, bool first) {
    JsonWriter json(out);
    json.first_ = first;
    return json;
  }

  template <std::invocable Body>
  void Object(Body body) {
    Around('{', body, '}');
  }
  template <std::invocable Body>
  void Object(std::string_view key, Body body) {
    Key(key);
    Object(body);
  }
  template <std::invocable Body>
  void Array(Body body) {
    Around('[', body, ']');
  }
  template <std::invocable Body>
  void Array(std::string_view key, Body body) {
    Key(key);
    Array(body);
  }
  /// An array with whatever `each` writes for an entry.
  template <typename Entries, typename Each>
  void List(std::string_view key, const Entries& entries, Each each) {
    Array(key, [&] {
      for (const auto& entry : entries) each(entry);
    });
  }

  /// A member.
  template <typename T>
  void Put(std::string_view key, const T& value) {
    Key(key);
    Put(value);
  }
  /// An entry of an array, or a text of its own.
  template <typename T>
  void Put(const T& value) {
    Comma();
    Write(value);
    first_ = false;
  }

  /// Members, with commas between them, that `append` writes onto the text; none are fine.
  template <std::invocable<std::string&> Append>
  void Members(Append append) {
    const size_t before = out_.size();
    Comma();
    const size_t begin = out_.size();
    append(out_);
    if (out_.size() == begin) return out_.resize(before);
    first_ = false;
  }

  /// JSON that stands in a text already.
  void PutJson(std::string_view key, std::string_view json) {
    Key(key);
    PutJson(json);
  }
  void PutJson(std::string_view json) {
    Comma();
    out_ += json;
    first_ = false;
  }

 private:
  template <typename Body>
  void Around(char begin, Body body, char end) {
    Comma();
    out_ += begin;
    first_ = true;
    body();
    out_ += end;
    first_ = false;
  }
  void Comma() {
    if (!first_) out_ += ',';
  }
  void Key(std::string_view key) {
    Comma();
    AppendJsonQuoted(out_, key);
    out_ += ':';
    first_ = true;
  }

  void Write(std::nullptr_t) { out_ += "null"; }
  void Write(bool value) { out_ += value ? "true" : "false"; }
  void Write(std::string_view text) { AppendJsonQuoted(out_, text); }
  void Write(const std::string& text) { AppendJsonQuoted(out_, text); }
  void Write(const char* text) { AppendJsonQuoted(out_, text); }
  void Write(Rounded number) {
    if (!std::isfinite(number.value)) return Write(nullptr);
    fmt::format_to(std::back_inserter(out_), "{:.{}g}", number.value, number.digits);
  }
  template <std::integral Number>
  void Write(Number number) {
    const fmt::format_int text(number);
    out_.append(text.data(), text.size());
  }
  template <std::floating_point Number>
  void Write(Number number) {
    if (!std::isfinite(number)) return Write(nullptr);
    fmt::format_to(std::back_inserter(out_), "{}", number);
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace fogline
