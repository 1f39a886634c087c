// Errors as values: every fallible function of the library returns Result<T> or Status.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "base/format.h"

namespace fogline {

/// What kind of thing went wrong; the command line turns it into an exit status.
enum class ErrorCode {
  kUsage,        // the caller asked for something that cannot be asked (exit status 2)
  kNotFound,     // a file, tensor, cut, device … that does not exist
  kInvalid,      // data that is not what it claims to be
  kUnsupported,  // valid, but beyond what Fogline or the engine can do
  kUnavailable,  // a server or device that does not answer now
  kExhausted,    // disk, memory, a limit
  kConflict,     // somebody else holds the name, or two things do not belong together
  kCancelled,    // asked to stop
  kInternal,     // a promise of our own that did not hold
};

/// One failure. `where` names the file, tensor, flag or topic at fault; `message` is one line
/// without a full stop. Copied, moved and destroyed out of line: some two thousand places hand one
/// on, and none of them is in a hurry.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string where;
  std::string message;

  Error();
  Error(ErrorCode code, std::string where, std::string message);
  Error(const Error&);
  Error(Error&&) noexcept;
  Error& operator=(const Error&);
  Error& operator=(Error&&) noexcept;
  ~Error();

  /// "where: message", the line a user reads.
  std::string ToString() const;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// A failure whose message is yet to be formatted: what Fail does once its types are gone.
tl::unexpected<Error> FailFormatted(ErrorCode code, std::string_view where, fmt::string_view format,
                                    fmt::format_args args);

/// Builds the failure to return: `return Fail(ErrorCode::kNotFound, path, "no cut {}", index);`
template <typename... Args>
tl::unexpected<Error> Fail(ErrorCode code, std::string_view where,
                           fmt::format_string<Args...> format, Args&&... args) {
  return FailFormatted(code, where, format, fmt::make_format_args(args...));
}

/// Hands an error of a callee on unchanged.
template <typename T>
tl::unexpected<Error> Forward(Result<T>&& failed) {
  return tl::unexpected<Error>(std::move(failed.error()));
}

}  // namespace fogline

#define FOGLINE_CONCAT_(a, b) a##b
#define FOGLINE_CONCAT(a, b) FOGLINE_CONCAT_(a, b)

/// `FOGLINE_TRY(auto model, Model::Load(path));` declares `model`, or returns the error from the
/// enclosing function.
#define FOGLINE_TRY(declaration, expression) \
  FOGLINE_TRY_(FOGLINE_CONCAT(fogline_try_, __LINE__), declaration, expression)
#define FOGLINE_TRY_(result, declaration, expression)        \
  auto result = (expression);                                \
  if (!result) return ::fogline::Forward(std::move(result)); \
  declaration = *std::move(result)

/// The same for a Status, which has no value.
#define FOGLINE_CHECK(expression)                                              \
  do {                                                                         \
    auto fogline_status = (expression);                                        \
    if (!fogline_status) return ::fogline::Forward(std::move(fogline_status)); \
  } while (false)
