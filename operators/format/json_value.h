// kappa/operators/format/json_value.h: the text of one JSON value → a value of a column, exactly or not at all.
//
// `text` starts with the value and is readable 8 bytes past its end; the document around it has been checked, so a
// token that starts like a number is one, a string ends, its escapes are valid.
//
// Threads:  functions; share nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kappa/engine/types.h"

namespace kappa {

/// The content of the string (its raw bytes between the quotes).
[[nodiscard]] std::string_view json_string(const char* text);
/// Whether every escape of a string's content is valid: known letters, hexadecimal digits, no lone surrogate.
[[nodiscard]] bool valid_escapes(std::string_view content);
/// Appends the content with its escapes, which must be valid, replaced.
void append_unescaped(std::string& out, std::string_view content);

/// These need a number: see json_number.h.
[[nodiscard]] std::optional<double> json_double(const char* text);
/// Rounds half away from zero to the scale; none where it then does not fit the precision.
[[nodiscard]] std::optional<Int128> json_numeric(const char* text, int precision, int scale);

/// What stands here, for a message: a scalar's own text, shortened; "an object", "an array".
[[nodiscard]] std::string describe_json(const char* text, const char* end);
/// The longest start of `text` of at most `bytes_max` bytes that ends between UTF-8 characters.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace kappa
