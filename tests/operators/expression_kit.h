// kappa/tests/operators/expression_kit.h: short spellings for expression tests.
#pragma once

#include <string>

#include "kappa/operators/expression/expression.h"
#include "kappa/operators/expression/value_parse.h"

namespace kappa::test {

inline ExpressionPtr num(std::int64_t v) { return literal({Type::bigint(), v}); }
inline ExpressionPtr dbl(double v) { return literal({Type::float64(), v}); }
inline ExpressionPtr str(const std::string& v) { return literal({Type::text(), v}); }
inline ExpressionPtr boolean(bool v) { return literal({Type::boolean(), v}); }
inline ExpressionPtr null() { return literal({Type::text(), std::monostate()}); }
inline ExpressionPtr at(const std::string& v) { return cast(str(v), Type::timestamptz()); }
inline ExpressionPtr span(const std::string& v) { return cast(str(v), Type::interval()); }
inline ExpressionPtr dec(const std::string& v) {
  const auto d = parse_decimal(v).value();
  return literal({Type::numeric(static_cast<std::uint8_t>(d.precision), static_cast<std::uint8_t>(d.scale)), d.value});
}

/// A constant expression's value as text, "null", or "fails: <cause>".
inline std::string shown(const ExpressionPtr& expression) {
  try {
    const Value value = constant_value(*expression);
    if (value.is_null()) return "null";
    return std::get<std::string>(constant_value(*cast(literal(value), Type::text())).data);
  } catch (const Error& error) {
    return std::string("fails: ") + error.what();
  }
}

/// The message of the Error that `f` throws; "nothing" if it throws none.
template <class F>
std::string error_of(F f) {
  try {
    (void)f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

/// A batch of these columns; hidden columns are uninitialised.
inline Batch batch_of(std::vector<Column> columns) {
  Batch batch = make_batch(columns.front().size());
  batch.columns = std::move(columns);
  return batch;
}

}  // namespace kappa::test
