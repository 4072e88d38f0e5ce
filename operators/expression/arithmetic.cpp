// + - * / %: which types meet, and in what they result.
#include "kappa/operators/expression/arithmetic.h"

#include <limits>

#include "kappa/operators/expression/comparison.h"
#include "kappa/operators/expression/numeric.h"
#include "kappa/operators/expression/registry.h"
#include "kappa/operators/expression/time_arithmetic.h"
#include "kappa/operators/expression/value_parse.h"

namespace kappa::expression {

namespace {

bool is_time(const ExpressionPtr& e) {
  return !is_null_literal(e) && (e->type().kind == TypeKind::timestamptz || e->type().kind == TypeKind::interval);
}

bool is_number(const ExpressionPtr& e) {
  const TypeKind kind = e->type().kind;
  return kind == TypeKind::bigint || kind == TypeKind::numeric || kind == TypeKind::float64;
}

Column negate_bigint(const Frame& frame) {
  return checked<std::int64_t, std::int64_t>(frame, [](std::int64_t& out, std::int64_t v) {
    return __builtin_sub_overflow(std::int64_t{0}, v, &out) ? Fault::bigint_range : Fault::none;
  });
}
Column negate_double(const Frame& frame) {
  return map<double, double>(frame, [](double v) { return -v; });
}
Column negate_numeric(const Frame& frame) {
  return map<Int128, Int128>(frame, [](Int128 v) { return static_cast<Int128>(-static_cast<UInt128>(v)); });
}

ExpressionPtr numeric_call(const Function& function, char op, Arguments& arguments) {
  for (ExpressionPtr& argument : arguments) argument = coerced(argument, TypeKind::numeric);
  const Type a = arguments[0]->type(), b = arguments[1]->type();
  return make_call({function.name, function.style, numeric_type(op, a, b), true, false, numeric_kernel(op, a, b)},
                   std::move(arguments));
}

ExpressionPtr build_arithmetic(const Function& function, Arguments& arguments) {
  const char op = function.name == "mod" ? '%' : function.name[0];
  if (arguments.size() != 2 || is_time(arguments[0]) || is_time(arguments[1])) return nullptr;
  for (ExpressionPtr& argument : arguments)
    if (is_untyped(argument)) argument = as_number_literal(argument);
  if (!is_number(arguments[0]) || !is_number(arguments[1])) no_overload(function, arguments);
  const TypeKind kind = common_type(arguments)->kind;
  if (kind == TypeKind::numeric) return numeric_call(function, op, arguments);
  if (kind == TypeKind::float64 && op == '%')
    usage_error("operator % does not exist for double precision; cast to numeric: CAST(" + arguments[0]->text() +
                " AS numeric(38,6)) % …");
  const Type type{kind};
  for (ExpressionPtr& argument : arguments) argument = cast(argument, type);
  return make_call({function.name, function.style, type, true, false,
                    kind == TypeKind::bigint ? bigint_kernel(op) : double_kernel(op)},
                   std::move(arguments));
}

ExpressionPtr build_minus(const Function& function, Arguments& arguments) {
  if (arguments.size() != 1) return build_arithmetic(function, arguments);
  if (is_untyped(arguments[0])) arguments[0] = as_number_literal(arguments[0]);
  const TypeKind kind = arguments[0]->type().kind;
  if (!is_number(arguments[0]) && kind != TypeKind::interval) no_overload(function, arguments);
  Kernel kernel = kind == TypeKind::bigint    ? negate_bigint
                  : kind == TypeKind::float64 ? negate_double
                  : kind == TypeKind::numeric ? negate_numeric
                                              : interval_negated;
  const Type type = arguments[0]->type();
  return make_call({"-", Style::prefix, type, true, false, std::move(kernel)}, std::move(arguments));
}

ExpressionPtr build_plus(const Function& function, Arguments& arguments) {
  if (arguments.size() != 1) return build_arithmetic(function, arguments);
  if (is_untyped(arguments[0])) arguments[0] = as_number_literal(arguments[0]);
  if (!is_number(arguments[0])) no_overload(function, arguments);
  return arguments[0];
}

std::string usage_of(const std::string& op) {
  std::string usage = "number " + op + " number";
  if (op == "+") usage += ", timestamptz + interval, interval + interval";
  if (op == "-") usage += ", timestamptz - interval, timestamptz - timestamptz, interval - interval, - number";
  if (op == "*") usage += ", interval * bigint";
  return usage;
}

}  // namespace

ExpressionPtr as_number_literal(const ExpressionPtr& expression) {
  if (is_null_literal(expression)) return literal({Type::bigint(), std::monostate()});
  const std::string text(trim_blanks(std::get<std::string>(as_literal(expression)->value().data)));
  if (const auto value = parse_bigint(text)) return literal({Type::bigint(), *value});
  if (const auto value = parse_decimal(text))
    return literal({Type::numeric(static_cast<std::uint8_t>(value->precision), static_cast<std::uint8_t>(value->scale)),
                    value->value});
  if (const auto value = parse_double(text)) return literal({Type::float64(), *value});
  usage_error("invalid input syntax for a number: " + shown(text));
}

void add_arithmetic(Functions& functions) {
  functions.push_back(
      {"+",
       usage_of("+"),
       {{"zi", 'z', instant_plus_interval}, {"iz", 'z', interval_plus_instant}, {"ii", 'i', interval_plus_interval}},
       build_plus,
       Style::infix});
  functions.push_back(
      {"-",
       usage_of("-"),
       {{"zz", 'i', instant_minus_instant}, {"zi", 'z', instant_minus_interval}, {"ii", 'i', interval_minus_interval}},
       build_minus,
       Style::infix});
  functions.push_back({"*",
                       usage_of("*"),
                       {{"ib", 'i', interval_times_bigint}, {"bi", 'i', bigint_times_interval}},
                       build_arithmetic,
                       Style::infix});
  functions.push_back({"/", usage_of("/"), {}, build_arithmetic, Style::infix});
  functions.push_back({"%", usage_of("%"), {}, build_arithmetic, Style::infix});
  functions.push_back({"mod", "mod(number, number) → number (bigint or numeric)", {}, build_arithmetic});
}

}  // namespace kappa::expression
