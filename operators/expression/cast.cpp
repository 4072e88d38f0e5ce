// CAST: numbers into one another, everything from and to text.
#include <cmath>
#include <limits>
#include <map>

#include "kappa/engine/time_text.h"
#include "kappa/engine/value_text.h"
#include "kappa/operators/expression/nodes.h"
#include "kappa/operators/expression/numeric.h"
#include "kappa/operators/expression/value_parse.h"

namespace kappa::expression {

namespace {

using K = TypeKind;

Fault double_to_bigint(std::int64_t& out, double v) {
  const double rounded = std::nearbyint(v);  // half to even, as PostgreSQL
  const bool fits = rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0;
  out = fits ? static_cast<std::int64_t>(rounded) : 0;
  return fits ? Fault::none : Fault::bigint_range;
}

Kernel number_to_bigint(Type from) {
  if (from.kind == K::float64) return [](const Frame& f) { return checked<std::int64_t, double>(f, double_to_bigint); };
  const int scale = from.scale;
  return [scale](const Frame& f) {
    return checked<std::int64_t, Int128>(f, [scale](std::int64_t& out, Int128 v) {
      return numeric_to_bigint(v, scale, out) ? Fault::none : Fault::bigint_range;
    });
  };
}

Kernel number_to_double(Type from) {
  if (from.kind == K::bigint)
    return [](const Frame& f) {
      return map<double, std::int64_t>(f, [](std::int64_t v) { return static_cast<double>(v); });
    };
  const int scale = from.scale;
  return [scale](const Frame& f) {
    return map<double, Int128>(f, [scale](Int128 v) { return numeric_to_double(v, scale); });
  };
}

Kernel number_to_numeric(Type from, Type to) {
  const int scale = to.scale, precision = to.precision, from_scale = from.scale;
  if (from.kind == K::bigint)
    return [=](const Frame& f) {
      return checked<Int128, std::int64_t>(f, [=](Int128& out, std::int64_t v) {
        return numeric_fault(numeric_rescale(v, 0, scale, out) && fits_precision(out, precision));
      });
    };
  if (from.kind == K::float64)
    return [=](const Frame& f) {
      return checked<Int128, double>(f, [=](Int128& out, double v) {
        out = 0;
        return numeric_fault(numeric_from_double(v, scale, out) && fits_precision(out, precision));
      });
    };
  return [=](const Frame& f) {
    return checked<Int128, Int128>(f, [=](Int128& out, Int128 v) {
      out = 0;
      return numeric_fault(numeric_rescale(v, from_scale, scale, out) && fits_precision(out, precision));
    });
  };
}

Column boolean_to_bigint(const Frame& frame) {
  Result result(frame);
  Buffer values = Buffer::allocate(static_cast<std::size_t>(frame.rows) * 8);
  for (std::int64_t i = 0; i < frame.rows; ++i)
    values.as_mutable<std::int64_t>()[i] = frame.args[0].column.bit(i) ? 1 : 0;
  return result.finish(std::move(values));
}

void append_hex(std::string& out, std::string_view bytes) {
  out += "\\x";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
}

void append_as_text(std::string& out, const Column& column, std::int64_t i) {
  switch (column.type().kind) {
    case K::boolean: out += column.bit(i) ? "true" : "false"; return;
    case K::bigint: out += std::to_string(column.i64()[i]); return;
    case K::float64: append_postgres_double(out, column.f64()[i]); return;
    case K::numeric: append_numeric(out, column.i128()[i], column.type().scale); return;
    case K::text: out += column.bytes(i); return;
    case K::bytea: append_hex(out, column.bytes(i)); return;
    case K::timestamptz: append_timestamp(out, column.i64()[i]); return;
    case K::interval: append_interval(out, column.intervals()[i]); return;
  }
}

Column to_text(const Frame& frame) {
  return text_rows(frame, [&](std::int64_t i, std::string& out) {
    const Arg& arg = frame.args[0];
    append_as_text(out, arg.column, arg.one_row ? 0 : i);
    return std::string_view();
  });
}

// parse(text) -> optional<T> per live row.
template <class T, class Parse>
Column parse_rows(const Frame& frame, Parse parse) {
  Result result(frame);
  Buffer values = Buffer::allocate(static_cast<std::size_t>(frame.rows) * sizeof(T));
  std::memset(values.mutable_data(), 0, values.size());
  result.for_live([&](std::int64_t i) {
    const std::string_view text = frame.args[0].text(i);
    if (const std::optional<T> value = parse(trim_blanks(text)))
      values.as_mutable<T>()[i] = *value;
    else
      result.fail(i, "invalid input syntax for type " + to_string(frame.type) + ": " + shown(text));
  });
  return result.finish(std::move(values));
}

Column text_to_boolean(const Frame& frame) {
  Result result(frame);
  Buffer values = pack_words(frame.rows, [](std::size_t) { return std::uint64_t{0}; });
  result.for_live([&](std::int64_t i) {
    const std::string_view text = frame.args[0].text(i);
    if (const auto value = parse_boolean(trim_blanks(text)))
      set_bit(values.mutable_data(), i, *value);
    else
      result.fail(i, "invalid input syntax for type boolean: " + shown(text));
  });
  return result.finish(std::move(values));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Column text_to_bytea(const Frame& frame) {
  return text_rows(frame, [&](std::int64_t i, std::string& out) -> std::string_view {
    std::string_view text = frame.args[0].text(i);
    if (!text.starts_with("\\x")) {
      out.append(text);
      return "";
    }
    text.remove_prefix(2);
    if (text.size() % 2 != 0) return "invalid input syntax for type bytea: an odd number of hexadecimal digits";
    for (std::size_t k = 0; k < text.size(); k += 2) {
      const int high = hex_digit(text[k]), low = hex_digit(text[k + 1]);
      if (high < 0 || low < 0) return "invalid input syntax for type bytea: not a hexadecimal digit";
      out += static_cast<char>(high * 16 + low);
    }
    return "";
  });
}

Kernel text_to(Type to) {
  const int scale = to.scale, precision = to.precision;
  switch (to.kind) {
    case K::boolean: return text_to_boolean;
    case K::bigint: return [](const Frame& f) { return parse_rows<std::int64_t>(f, parse_bigint); };
    case K::float64: return [](const Frame& f) { return parse_rows<double>(f, parse_double); };
    case K::timestamptz: return [](const Frame& f) { return parse_rows<std::int64_t>(f, parse_timestamp); };
    case K::interval: return [](const Frame& f) { return parse_rows<Interval>(f, parse_interval); };
    case K::bytea: return text_to_bytea;
    case K::numeric:
      return [=](const Frame& f) {
        return parse_rows<Int128>(f, [=](std::string_view text) -> std::optional<Int128> {
          Int128 out = 0;
          const auto value = parse_decimal(text, scale);
          if (!value || !numeric_rescale(value->value, value->scale, scale, out)) return std::nullopt;
          return fits_precision(out, precision) ? std::optional(out) : std::nullopt;
        });
      };
    case K::text: break;
  }
  return nullptr;
}

bool is_number(K kind) { return kind == K::bigint || kind == K::float64 || kind == K::numeric; }

Kernel cast_kernel(Type from, Type to) {
  if (to.kind == K::text) return to_text;
  if (from.kind == K::text) return text_to(to);
  if (from.kind == K::boolean && to.kind == K::bigint) return boolean_to_bigint;
  if (from.kind == K::bigint && to.kind == K::boolean)
    return [](const Frame& f) { return map<bool, std::int64_t>(f, [](std::int64_t v) { return v != 0; }); };
  if (!is_number(from.kind) || !is_number(to.kind)) return nullptr;
  if (to.kind == K::bigint) return number_to_bigint(from);
  return to.kind == K::float64 ? number_to_double(from) : number_to_numeric(from, to);
}

std::string hint_of(Type from, Type to) {
  if (from.kind == K::timestamptz) return "; use extract(epoch from …) for seconds since 1970";
  if (to.kind == K::timestamptz) return "; use to_timestamp(seconds since 1970)";
  if (from.kind == K::interval) return "; use extract(epoch from …) for seconds";
  if (to.kind == K::interval) return "; multiply an interval: n * INTERVAL '1 second'";
  return "";
}

}  // namespace

}  // namespace kappa::expression

namespace kappa {

ExpressionPtr cast(ExpressionPtr from, Type to) {
  using namespace expression;
  if (from->type() == to) return from;
  if (is_null_literal(from)) return literal({to, std::monostate()});
  Kernel kernel = cast_kernel(from->type(), to);
  if (!kernel)
    usage_error("cannot cast " + to_string(from->type()) + " to " + to_string(to) + ": " + from->text() +
                hint_of(from->type(), to));
  const bool is_literal = as_literal(from) != nullptr;
  ExpressionPtr result = make_call({"cast", Style::cast, to, true, false, std::move(kernel)}, {std::move(from)});
  if (is_literal && as_literal(result) == nullptr) (void)constant_value(*result);  // throws with the cause
  return result;
}

}  // namespace kappa
