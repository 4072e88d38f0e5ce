// kappa/engine/value_text.h: values as text and as JSON, and record keys: the one spelling of values that kappa writes.
//
// JSON (docs/FORMAT.md): nulls written, 64-bit integers exact, doubles in shortest round-trip form, NaN and infinities
// as strings, numeric as a number with the digits of its scale, timestamps RFC 3339 UTC, intervals ISO 8601, bytea
// base64. Text with invalid UTF-8 gets U+FFFD in its place, so that what is written is always JSON.
//
// Threads:  functions; share nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "kappa/engine/batch.h"
#include "kappa/engine/schema.h"

namespace kappa {

/// One value as JSON.
void append_json(std::string& out, const Column& column, std::int64_t row);
/// One value without the quotes that JSON would put around it; nothing for a null. Text and keys keep their bytes.
void append_text(std::string& out, const Column& column, std::int64_t row);
/// {"a":1,"b":null}: the columns in order. Requires: `batch` has the columns of `schema`.
void append_json_row(std::string& out, const Schema& schema, const Batch& batch, std::int64_t row);

/// The record key made of these columns: one: its text without quotes; several: a JSON array in their order. Returns
/// false, and appends nothing, where the record key is null: a single column that is null, or no column. `as_array`:
/// one column is an array too, as the keys of windowed results are.
bool append_key(std::string& out, std::span<const Column* const> key_columns, std::int64_t row, bool as_array = false);

/// A JSON string, quotes included.
void append_json_string(std::string& out, std::string_view text);
/// "-12.340" for (-12340, 3).
void append_numeric(std::string& out, Int128 value, int scale);
/// "0.1", "1e+22", "NaN", "-Infinity".
void append_double(std::string& out, double value);
void append_bigint(std::string& out, std::int64_t value);
/// RFC 4648, with padding.
void append_base64(std::string& out, std::string_view bytes);
/// Appends the bytes and returns true, or returns false and leaves `out` as it was: `text` must be padded, without
/// blanks, its unused bits zero.
[[nodiscard]] bool append_base64_decoded(std::string& out, std::string_view text);

/// The bytes of the UTF-8 character at the start of `text`; 0 where it is not valid (overlong, surrogate, cut off).
[[nodiscard]] std::size_t utf8_length(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace kappa
