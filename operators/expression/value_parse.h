// kappa/operators/expression/value_parse.h: values out of text, and doubles as PostgreSQL writes them; no locale.
//
// Threads:  pure functions.
// Errors:   parsers give nullopt; surrounding blanks are the caller's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kappa/engine/types.h"

namespace kappa {

/// PostgreSQL's spelling with the fewest digits that read back the same: "0.1", "100000", "1e+20", "NaN", "-Infinity".
/// (JSON's in engine/value_text.h takes the exponent where it is shorter.)
void append_postgres_double(std::string& out, double value);

struct Decimal {
  Int128 value = 0;
  int precision = 1;
  int scale = 0;
};
/// "12", "-1.50", ".5", "1e3": at most 38 digits, exact. With `scale_max` >= 0 digits behind it are rounded (half away
/// from zero).
[[nodiscard]] std::optional<Decimal> parse_decimal(std::string_view text, int scale_max = -1);
[[nodiscard]] std::optional<std::int64_t> parse_bigint(std::string_view text);
/// Also "NaN", "Infinity", "-inf". Out of range (1e400) is nullopt.
[[nodiscard]] std::optional<double> parse_double(std::string_view text);
/// true, t, yes, y, on, 1 and their opposites, case-insensitive.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);
[[nodiscard]] std::string_view trim_blanks(std::string_view text);

}  // namespace kappa
