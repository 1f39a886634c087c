// Errors as values: every function of the library that can fail returns a Result or a Status. None
// throws, but for std::bad_alloc where memory ends.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "fogline/export.h"

namespace fogline::v1 {

/// What kind of thing went wrong. The numbers stay what they are.
enum class ErrorCode {
  kUsage = 0,        // asked for something that cannot be asked
  kNotFound = 1,     // a file, tensor, cut, machine … that does not exist
  kInvalid = 2,      // data that is not what it claims to be
  kUnsupported = 3,  // valid, but beyond what Fogline or the engine can do
  kUnavailable = 4,  // what does not answer now
  kExhausted = 5,    // disk, memory, a limit
  kConflict = 6,     // two things that do not belong together; limits that cannot be met
  kCancelled = 7,    // a callback said stop
  kInternal = 8,     // a promise of the library that did not hold
};

/// "usage", "not found", "invalid" …
FOGLINE_API const char* NameOf(ErrorCode code);

/// One failure. `where` names the file, tensor or setting at fault; `message` is one line without
/// a full stop.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string where;
  std::string message;

  /// "where: message".
  std::string ToString() const { return where.empty() ? message : where + ": " + message; }
};

/// What value() throws, for programs that would rather have exceptions.
class Failure : public std::runtime_error {
 public:
  explicit Failure(Error failed)
      : std::runtime_error(failed.ToString()), error(std::move(failed)) {}
  Error error;
};

/// A value, or why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return held_.index() == 0; }
  /// There must be one.
  T& operator*() & { return *std::get_if<0>(&held_); }
  const T& operator*() const& { return *std::get_if<0>(&held_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&held_)); }
  T* operator->() { return std::get_if<0>(&held_); }
  const T* operator->() const { return std::get_if<0>(&held_); }
  /// There must be no value.
  const Error& error() const { return *std::get_if<1>(&held_); }

  /// The value; throws Failure where there is none.
  T value() && {
    if (!*this) throw Failure(error());
    return std::move(*std::get_if<0>(&held_));
  }
  const T& value() const& {
    if (!*this) throw Failure(error());
    return *std::get_if<0>(&held_);
  }

 private:
  std::variant<T, Error> held_;
};

/// That it went well, or why not.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  /// There must be one.
  const Error& error() const { return *error_; }
  /// Throws Failure where it did not go well.
  void value() const {
    if (error_) throw Failure(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace fogline::v1
