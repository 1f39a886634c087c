// Text that is safe inside HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace fogline {

/// Escapes &, <, >, " and ', and makes control characters and broken UTF-8 visible: fit for element
/// content and for quoted attributes.
std::string HtmlEscape(std::string_view text);

/// A coordinate: two decimals at most, no trailing zeros, "0" for what is not finite.
std::string SvgNumber(double value);

}  // namespace fogline
