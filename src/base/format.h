// fmt, its machinery compiled once. Each room that formats into a buffer would compile all of it
// anew otherwise (numbers of every kind, padding, locales): a fifth of what some rooms take.
#pragma once

#include <fmt/format.h>

#if FMT_VERSION / 10000 == 9  // of another version each room has its own, as fmt means it
#define FOGLINE_FORMATS_ONCE
extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view,
                                                   fmt::format_args, fmt::detail::locale_ref);
#endif
