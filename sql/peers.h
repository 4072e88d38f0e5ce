// kappa/sql/peers.h: what users of Flink, ksqlDB, RisingWave, Arroyo and Materialize write, and how kappa spells it.
#pragma once

#include <string>
#include <vector>

#include "kappa/sql/tokens.h"

namespace kappa::sql {

/// What to write instead, guessed from the tokens around a syntax error; empty if nothing fits.
[[nodiscard]] std::string hint_for_syntax_error(const std::vector<Token>& tokens, int position);
/// A column type that is not ours: what to write instead.
[[nodiscard]] std::string hint_for_type(const std::string& name);
/// A WITH option that is not ours.
[[nodiscard]] std::string hint_for_option(const std::string& name);
/// A function or table function that is not ours.
[[nodiscard]] std::string hint_for_function(const std::string& name);

inline constexpr const char* kStatements =
    "a pipeline has SET, CREATE TABLE, CREATE VIEW, CREATE MATERIALIZED VIEW and INSERT INTO … SELECT";
inline constexpr const char* kWindowHint =
    "windows are: FROM TUMBLE(input, time_column, INTERVAL '10 seconds') … GROUP BY key, window_start, window_end";

}  // namespace kappa::sql
