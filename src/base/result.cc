#include "base/result.h"

namespace fogline {

Error::Error() = default;
Error::Error(ErrorCode code_in, std::string where_in, std::string message_in)
    : code(code_in), where(std::move(where_in)), message(std::move(message_in)) {}
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error&) = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

std::string Error::ToString() const { return where.empty() ? message : where + ": " + message; }

tl::unexpected<Error> FailFormatted(ErrorCode code, std::string_view where, fmt::string_view format,
                                    fmt::format_args args) {
  return tl::unexpected<Error>(Error(code, std::string(where), fmt::vformat(format, args)));
}

}  // namespace fogline
