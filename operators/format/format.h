// kappa/operators/format/format.h: the record formats: how raw records become columns, and rows become records.
//
// Threads:  the functions and what they return may be used from any thread; each call makes a decoder or encoder of
// its own, which belongs to one task.
// Errors:   Error{usage} for options that make no sense, when the factory is made; a record that cannot be decoded is a
// Decoder::Failure whose cause names the field and what was found.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kappa/engine/operator.h"

namespace kappa {

using DecoderFactory = std::function<std::unique_ptr<Decoder>()>;
using EncoderFactory = std::function<std::unique_ptr<Encoder>()>;

/// Of 'ms', 's' or 'us'; Error{usage} for others.
[[nodiscard]] std::int64_t timestamp_unit_us(const std::string& name);

struct JsonDecoderOptions {
  Schema columns{};
  std::vector<std::string> json_names{};       // per column, the field's exact spelling; empty: the column names
  std::map<std::string, std::string> paths{};  // column → 'user.id': the field id of the object in the field user
  std::string timestamp_unit = "ms";           // of integers in timestamptz columns: ms, s, us
  std::int64_t record_bytes_max = 1 << 20;     // at most 16 MiB
};
/// Values are JSON objects. The whole document is checked first, so that asking for one more field never changes which
/// documents are JSON; then the wanted fields are converted, exactly or not at all:
/// - bigint: an integer ("1.0" and strings are failures); timestamptz: RFC 3339 text or an integer in timestamp_unit;
/// - numeric(p,s): a number, or a string that holds one; rounded half away from zero to the scale, from its digits;
/// - double precision: a number, or "NaN", "Infinity", "-Infinity"; boolean: true, false;
/// - text: a string; bytea: base64 in a string; interval: a string, as PostgreSQL or ISO 8601 spell it.
/// A missing field is null, as is an explicit null; in a NOT NULL column that is a failure. Of duplicate fields the
/// last one counts. Escapes must be valid (no lone surrogates), containers are at most 64 deep. A null or empty record
/// value is a failure: "empty value".
[[nodiscard]] DecoderFactory json_decoder(JsonDecoderOptions options);

/// Columns named `key` and `value` (text: valid UTF-8, else a failure; or bytea) and `timestamp` (timestamptz: the
/// record's); any of them, in any order. Other columns are usage errors.
[[nodiscard]] DecoderFactory raw_decoder(const Schema& columns);

struct JsonEncoderOptions {
  Schema columns{};
  std::vector<int> key_columns{};  // of the record key, in order (engine/value_text.h); empty: the key is null
  bool key_as_array = false;       // a JSON array even of one column
};
/// Values are JSON objects with the columns in order, nulls included.
[[nodiscard]] EncoderFactory json_encoder(JsonEncoderOptions options);

}  // namespace kappa
