// Small things with words: nearest names, safe printing, human figures.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fogline {

/// Edits (insert, delete, replace, swap of neighbours) between two words, ignoring case.
size_t EditDistance(std::string_view a, std::string_view b);

/// The names nearest to a mistyped one, best first: those within a third of its length or that
/// contain it.
std::vector<std::string> NearestNames(std::string_view wanted, std::span<const std::string> names,
                                      size_t most = 3);

/// " (did you mean 'a' or 'b'?)", or nothing when no name is near: to append to an error message.
std::string DidYouMean(std::string_view wanted, std::span<const std::string> names);

/// Without blanks, tabs and carriage returns around it.
std::string_view Trim(std::string_view text);

/// Takes the first line off `text`, trimmed.
std::string_view TakeLine(std::string_view& text);

/// Control characters and invalid UTF-8 as \xNN: what came from a network may be shown on a
/// terminal.
std::string Printable(std::string_view text);

/// A JSON string literal with its quotes; invalid UTF-8 becomes U+FFFD.
std::string JsonQuote(std::string_view text);
/// The same onto the end of a text.
void AppendJsonQuoted(std::string& out, std::string_view text);

/// True for well-formed UTF-8 (no overlong forms, no surrogates).
bool IsUtf8(std::string_view text);

/// A number for people, the same in terminal, pages and reports: three digits below 100 ("0.0331",
/// "3.3", "33.1"), whole from there on ("331", "2,264"); "?" for what is no number.
std::string Figure(double value);
/// "987 B", "12.3 kB", "4.56 MB" (powers of 1000, three digits).
std::string HumanBytes(double bytes);
/// "300 M", "1.53 G": for MAdds and parameters.
std::string HumanCount(double count);

}  // namespace fogline
