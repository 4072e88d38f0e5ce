#include "kappa/operators/state_key.h"

#include "kappa/engine/error.h"

namespace kappa {

namespace {
constexpr char kPresent = 1;
constexpr char kNull = 2;
constexpr std::uint64_t kSign = 0x8000'0000'0000'0000ULL;

void append_u64(std::string& out, std::uint64_t value) {
  const std::uint64_t big_endian = __builtin_bswap64(value);
  out.append(reinterpret_cast<const char*>(&big_endian), 8);
}

void append_ordered_i128(std::string& out, Int128 value) {
  append_u64(out, static_cast<std::uint64_t>(static_cast<UInt128>(value) >> 64) ^ kSign);
  append_u64(out, static_cast<std::uint64_t>(value));
}

void append_ordered_i32(std::string& out, std::int32_t value) {
  const std::uint32_t big_endian = __builtin_bswap32(static_cast<std::uint32_t>(value) ^ 0x8000'0000U);
  out.append(reinterpret_cast<const char*>(&big_endian), 4);
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (;;) {
    const std::size_t zero = bytes.find('\0');
    if (zero == std::string_view::npos) break;
    out.append(bytes.substr(0, zero + 1));
    out += '\xff';
    bytes.remove_prefix(zero + 1);
  }
  out.append(bytes);
  out.append("\0\1", 2);
}

std::string_view take(std::string_view& bytes, std::size_t n) {
  if (bytes.size() < n) fail("a state key ends early");
  const std::string_view taken = bytes.substr(0, n);
  bytes.remove_prefix(n);
  return taken;
}

std::uint64_t read_u64(std::string_view& bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, take(bytes, 8).data(), 8);
  return __builtin_bswap64(value);
}

std::int32_t read_ordered_i32(std::string_view& bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, take(bytes, 4).data(), 4);
  return static_cast<std::int32_t>(__builtin_bswap32(value) ^ 0x8000'0000U);
}

Int128 read_ordered_i128(std::string_view& bytes) {
  const std::uint64_t high = read_u64(bytes) ^ kSign;
  return static_cast<Int128>(static_cast<UInt128>(high) << 64 | read_u64(bytes));
}

std::string read_escaped(std::string_view& bytes) {
  std::string out;
  for (;;) {
    const std::size_t zero = bytes.find('\0');
    if (zero == std::string_view::npos || zero + 1 == bytes.size()) fail("a state key ends inside a text");
    out.append(bytes.substr(0, zero));
    const char mark = bytes[zero + 1];
    bytes.remove_prefix(zero + 2);
    if (mark == '\1') return out;
    if (mark != '\xff') fail("a state key holds a text with an unknown escape");
    out += '\0';
  }
}

bool read_present(std::string_view& bytes) {
  const char tag = take(bytes, 1)[0];
  if (tag != kPresent && tag != kNull) fail("a state key holds an unknown tag");
  return tag == kPresent;
}

void skip_escaped(std::string_view& bytes) {
  for (;;) {
    const std::size_t zero = bytes.find('\0');
    if (zero == std::string_view::npos || zero + 1 == bytes.size()) fail("a state key ends inside a text");
    const char mark = bytes[zero + 1];
    bytes.remove_prefix(zero + 2);
    if (mark == '\1') return;
  }
}
}  // namespace

void append_ordered(std::string& out, std::int64_t value) {
  append_u64(out, static_cast<std::uint64_t>(value) ^ kSign);
}

std::int64_t read_ordered(std::string_view& bytes) { return static_cast<std::int64_t>(read_u64(bytes) ^ kSign); }

void append_state_key(std::string& out, std::int64_t value) {
  out += kPresent;
  append_ordered(out, value);
}

void append_state_key(std::string& out, const Column& column, std::int64_t row) {
  if (column.is_null(row)) {
    out += kNull;
    return;
  }
  out += kPresent;
  switch (column.type().kind) {
    case TypeKind::boolean: out += static_cast<char>(column.bit(row)); return;
    case TypeKind::bigint:
    case TypeKind::timestamptz: return append_ordered(out, column.i64()[row]);
    case TypeKind::float64: return append_ordered(out, ordered_double(column.f64()[row]));
    case TypeKind::numeric: return append_ordered_i128(out, column.i128()[row]);
    case TypeKind::text:
    case TypeKind::bytea: return append_escaped(out, column.bytes(row));
    case TypeKind::interval: {
      const Interval v = column.intervals()[row];
      append_ordered_i128(out, interval_length(v));
      append_ordered_i32(out, v.months);
      append_ordered_i32(out, v.days);
      return append_ordered(out, v.us);
    }
  }
}

void append_state_key(std::string& out, std::span<const Column* const> columns, std::int64_t row) {
  for (const Column* column : columns) append_state_key(out, *column, row);
}

void read_state_key(std::string_view& bytes, ColumnBuilder& out) {
  if (!read_present(bytes)) return out.append_null();
  switch (out.type().kind) {
    case TypeKind::boolean: return out.append_bool(take(bytes, 1)[0] != 0);
    case TypeKind::bigint:
    case TypeKind::timestamptz: return out.append_i64(read_ordered(bytes));
    case TypeKind::float64: return out.append_f64(from_ordered_double(read_ordered(bytes)));
    case TypeKind::numeric: return out.append_i128(read_ordered_i128(bytes));
    case TypeKind::text:
    case TypeKind::bytea: return out.append_bytes(read_escaped(bytes));
    case TypeKind::interval: {
      Interval v;
      take(bytes, 16);
      v.months = read_ordered_i32(bytes);
      v.days = read_ordered_i32(bytes);
      v.us = read_ordered(bytes);
      return out.append_interval(v);
    }
  }
}

std::size_t state_key_size(std::string_view bytes, std::span<const Type> types) {
  std::string_view rest = bytes;
  for (const Type type : types) {
    if (!read_present(rest)) continue;
    switch (type.kind) {
      case TypeKind::boolean: take(rest, 1); break;
      case TypeKind::numeric: take(rest, 16); break;
      case TypeKind::interval: take(rest, 32); break;
      case TypeKind::text:
      case TypeKind::bytea: skip_escaped(rest); break;
      default: take(rest, 8); break;
    }
  }
  return bytes.size() - rest.size();
}

}  // namespace kappa
