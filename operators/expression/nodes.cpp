#include "kappa/operators/expression/nodes.h"
#include "kappa/engine/value_text.h"

#include <algorithm>

#include "kappa/engine/time_text.h"
#include "kappa/operators/expression/value_parse.h"

namespace kappa::expression {

namespace {

void append_value(ColumnBuilder& builder, const Value& value) {
  struct Visitor {
    ColumnBuilder& b;
    void operator()(std::monostate) const { b.append_null(); }
    void operator()(bool v) const { b.append_bool(v); }
    void operator()(std::int64_t v) const { b.append_i64(v); }
    void operator()(double v) const { b.append_f64(v); }
    void operator()(Int128 v) const { b.append_i128(v); }
    void operator()(const std::string& v) const { b.append_bytes(v); }
    void operator()(Interval v) const { b.append_interval(v); }
  };
  std::visit(Visitor{builder}, value.data);
}

Column repeated(const Value& value, std::int64_t rows) {
  ColumnBuilder builder(value.type);
  builder.reserve(rows);
  for (std::int64_t i = 0; i < rows; ++i) append_value(builder, value);
  return builder.finish();
}

template <class T>
Buffer filled(const Column& single, std::int64_t rows) {
  Buffer values = Buffer::allocate(static_cast<std::size_t>(rows) * sizeof(T));
  std::fill_n(values.as_mutable<T>(), rows, single.values().as<T>()[0]);
  return values;
}

// The one row of a fixed-width column, `rows` times.
Column widened(const Column& single, std::int64_t rows) {
  const auto all = [rows](bool bit) { return pack_words(rows, [bit](std::size_t) { return bit ? ~0ULL : 0ULL; }); };
  Buffer validity = single.is_null(0) ? all(false) : Buffer();
  if (single.type().kind == TypeKind::boolean) return {single.type(), rows, all(single.bit(0)), std::move(validity)};
  Buffer values = single.type().width() == 8 ? filled<std::int64_t>(single, rows) : filled<Int128>(single, rows);
  return {single.type(), rows, std::move(values), std::move(validity)};
}

bool holds_its_type(const Value& value) {
  if (value.is_null()) return true;
  switch (value.type.kind) {
    case TypeKind::boolean: return std::holds_alternative<bool>(value.data);
    case TypeKind::bigint:
    case TypeKind::timestamptz: return std::holds_alternative<std::int64_t>(value.data);
    case TypeKind::float64: return std::holds_alternative<double>(value.data);
    case TypeKind::numeric: return std::holds_alternative<Int128>(value.data);
    case TypeKind::text:
    case TypeKind::bytea: return std::holds_alternative<std::string>(value.data);
    case TypeKind::interval: return std::holds_alternative<Interval>(value.data);
  }
  return false;
}

std::string typed(const std::string& text, Type type) { return "CAST(" + text + " AS " + to_string(type) + ")"; }

std::string numeric_text(Int128 value, Type type) {
  std::string text;
  append_numeric(text, value, type.scale);
  const auto natural = parse_decimal(text);
  const bool plain = type.scale > 0 && natural && natural->scale == type.scale && natural->precision == type.precision;
  return plain ? text : typed(text, type);
}

Value value_at(const Column& column, std::int64_t i) {
  if (column.is_null(i)) return {column.type(), std::monostate()};
  switch (column.type().kind) {
    case TypeKind::boolean: return {column.type(), column.bit(i)};
    case TypeKind::bigint:
    case TypeKind::timestamptz: return {column.type(), column.i64()[i]};
    case TypeKind::float64: return {column.type(), column.f64()[i]};
    case TypeKind::numeric: return {column.type(), column.i128()[i]};
    case TypeKind::text:
    case TypeKind::bytea: return {column.type(), std::string(column.bytes(i))};
    case TypeKind::interval: return {column.type(), column.intervals()[i]};
  }
  return {column.type(), std::monostate()};
}

class ColumnReference final : public Expression {
 public:
  ColumnReference(const Field& field, int index)
      : Expression(field.type, field.nullable), name_(quoted_name(field.name)), index_(index) {}
  [[nodiscard]] std::string text() const override { return name_; }
  [[nodiscard]] Column evaluate(const Batch& batch, RowMask, Failures&) const override {
    const Column& column = batch.columns[static_cast<std::size_t>(index_)];
    KAPPA_CHECK(column.type() == type(), "the batch has the schema that the expression was bound to");
    return column;
  }
  [[nodiscard]] int column_index() const override { return index_; }

 private:
  std::string name_;
  int index_;
};

bool any_nullable(const std::vector<ExpressionPtr>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const auto& a) { return a->nullable(); });
}

class FunctionCall final : public Expression {
 public:
  FunctionCall(CallSpec spec, std::vector<ExpressionPtr> arguments)
      : Expression(spec.type, spec.strict ? any_nullable(arguments) || spec.nullable : spec.nullable),
        spec_(std::move(spec)),
        arguments_(std::move(arguments)) {}

  [[nodiscard]] std::string text() const override {
    switch (spec_.style) {
      case Style::cast: return typed(arguments_[0]->text(), type());
      case Style::prefix: return "(" + spec_.name + " " + arguments_[0]->text() + ")";
      case Style::postfix: return "(" + arguments_[0]->text() + " " + spec_.name + ")";
      case Style::infix: return "(" + joined(" " + spec_.name + " ") + ")";
      case Style::unit_first: return spec_.name + "(" + arguments_[1]->text() + ", " + arguments_[0]->text() + ")";
      case Style::function: break;
    }
    return spec_.name + "(" + joined(", ") + ")";
  }

  [[nodiscard]] Column evaluate(const Batch& batch, RowMask active, Failures& failures) const override {
    std::vector<Arg> args;
    args.reserve(arguments_.size());
    for (std::size_t k = 0; k < std::min(spec_.evaluated, arguments_.size()); ++k) {
      const ExpressionPtr& argument = arguments_[k];
      const Literal* literal = spec_.strict && argument->type().is_bytes() ? as_literal(argument) : nullptr;
      if (literal != nullptr)
        args.push_back({literal->single(), true});
      else
        args.push_back({argument->evaluate(batch, active, failures), false});
    }
    Column result = spec_.kernel(Frame{args, type(), batch.rows, active, failures, *this});
    return spec_.strict ? result : without_failed(std::move(result), failures);
  }

  [[nodiscard]] bool is_constant() const override { return all_constant(arguments_); }

 private:
  [[nodiscard]] std::string joined(const std::string& separator) const {
    std::string out;
    for (std::size_t i = 0; i < arguments_.size(); ++i) out += (i == 0 ? "" : separator) + arguments_[i]->text();
    return out;
  }

  CallSpec spec_;
  std::vector<ExpressionPtr> arguments_;
};

}  // namespace

Literal::Literal(Value value) : Expression(value.type, value.is_null()), value_(std::move(value)) {
  KAPPA_CHECK(holds_its_type(value_), "a literal's value has the literal's type");
  single_ = repeated(value_, 1);
}

std::string Literal::text() const {
  if (value_.is_null()) return typed("NULL", type());
  std::string out;
  switch (type().kind) {
    case TypeKind::boolean: return std::get<bool>(value_.data) ? "TRUE" : "FALSE";
    case TypeKind::bigint: return std::to_string(std::get<std::int64_t>(value_.data));
    case TypeKind::timestamptz:
      append_timestamp(out, std::get<std::int64_t>(value_.data));
      return "TIMESTAMPTZ " + quoted_text(out);
    case TypeKind::float64:
      append_postgres_double(out, std::get<double>(value_.data));
      return typed(quoted_text(out), type());
    case TypeKind::numeric: return numeric_text(std::get<Int128>(value_.data), type());
    case TypeKind::text: return quoted_text(std::get<std::string>(value_.data));
    case TypeKind::bytea: return typed(quoted_text(std::get<std::string>(value_.data)), type());
    case TypeKind::interval:
      append_interval(out, std::get<Interval>(value_.data));
      return "INTERVAL " + quoted_text(out);
  }
  return out;
}

Column Literal::evaluate(const Batch& batch, RowMask, Failures&) const {
  if (batch.rows == 1) return single_;  // folding
  if (type().is_bytes()) return repeated(value_, batch.rows);
  if (batch.rows > kBatchRows) return widened(single_, batch.rows);
  std::call_once(once_, [this] { full_ = widened(single_, kBatchRows); });
  return {type(), batch.rows, full_.values(), full_.validity()};
}

const Literal* as_literal(const ExpressionPtr& expression) { return dynamic_cast<const Literal*>(expression.get()); }

bool is_null_literal(const ExpressionPtr& expression) {
  const Literal* literal = as_literal(expression);
  return literal != nullptr && literal->value().is_null();
}

bool is_untyped(const ExpressionPtr& expression) {
  return is_null_literal(expression) ||
         (expression->type().kind == TypeKind::text && as_literal(expression) != nullptr);
}

bool all_constant(const std::vector<ExpressionPtr>& expressions) {
  return std::all_of(expressions.begin(), expressions.end(), [](const auto& e) { return e->is_constant(); });
}

ExpressionPtr make_call(CallSpec spec, std::vector<ExpressionPtr> arguments) {
  if (spec.strict)
    for (const ExpressionPtr& argument : arguments)
      if (is_null_literal(argument)) return literal({spec.type, std::monostate()});
  return fold(std::make_shared<FunctionCall>(std::move(spec), std::move(arguments)));
}

ExpressionPtr fold(ExpressionPtr expression) {
  if (!expression->is_constant() || as_literal(expression) != nullptr) return expression;
  Failures failures;
  const Column column = expression->evaluate(make_batch(1), nullptr, failures);
  return failures.empty() ? literal(value_at(column, 0)) : expression;
}

std::string quoted_name(const std::string& name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  const bool digit_first = !name.empty() && name[0] >= '0' && name[0] <= '9';
  if (!name.empty() && !digit_first && std::all_of(name.begin(), name.end(), plain)) return name;
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string quoted_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::size_t size = std::min(text.size(), kShown);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  std::string out = "\"";
  for (const char c : text.substr(0, size)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (size < text.size() ? "…\"" : "\"");
}

}  // namespace kappa::expression

namespace kappa {

ExpressionPtr column(const Schema& schema, int index) {
  KAPPA_CHECK(index >= 0 && index < schema.size(), "a column reference lies inside its schema");
  return std::make_shared<expression::ColumnReference>(schema[index], index);
}

ExpressionPtr literal(Value value) { return std::make_shared<expression::Literal>(std::move(value)); }

Value constant_value(const Expression& expression) {
  if (const auto* literal = dynamic_cast<const expression::Literal*>(&expression)) return literal->value();
  if (!expression.is_constant()) usage_error(expression.text() + " is not a constant");
  Failures failures;
  const Column column = expression.evaluate(make_batch(1), nullptr, failures);
  if (!failures.empty()) usage_error(failures.rows().front().second);
  return expression::value_at(column, 0);
}

}  // namespace kappa
