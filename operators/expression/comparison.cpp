// =, <>, <, <=, >, >=, IS [NOT] DISTINCT FROM, BETWEEN, IN.
#include <algorithm>
#include <unordered_set>

#include "kappa/operators/expression/comparison.h"
#include "kappa/operators/expression/numeric.h"
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

using C = Comparison;

// -1, 0, 1 as PostgreSQL orders doubles: NaN equals NaN and is greater than everything.
int order(double a, double b) {
  const bool a_nan = a != a, b_nan = b != b;
  const int nan_order = static_cast<int>(a_nan) - static_cast<int>(b_nan);
  return (a_nan | b_nan) ? nan_order : static_cast<int>(a > b) - static_cast<int>(a < b);
}
int order(std::int64_t a, std::int64_t b) { return static_cast<int>(a > b) - static_cast<int>(a < b); }
int order(Int128 a, Int128 b) { return static_cast<int>(a > b) - static_cast<int>(a < b); }
int order(const Interval& a, const Interval& b) { return order(interval_total(a), interval_total(b)); }
int order(std::string_view a, std::string_view b) { return a.compare(b); }
int order(bool a, bool b) { return static_cast<int>(a) - static_cast<int>(b); }

template <C op>
bool holds(int order) {
  switch (op) {
    case C::equal: return order == 0;
    case C::not_equal: return order != 0;
    case C::less: return order < 0;
    case C::less_equal: return order <= 0;
    case C::greater: return order > 0;
    case C::greater_equal: return order >= 0;
  }
  return false;
}

template <C op>
Column compare_numerics(const Frame& frame) {
  const int a_scale = frame.args[0].column.type().scale, b_scale = frame.args[1].column.type().scale;
  if (a_scale == b_scale)
    return map<bool, Int128, Int128>(frame, [](Int128 a, Int128 b) { return holds<op>(order(a, b)); });
  return map<bool, Int128, Int128>(
      frame, [=](Int128 a, Int128 b) { return holds<op>(numeric_compare(a, a_scale, b, b_scale)); });
}

template <C op>
Column compare_texts(const Frame& frame) {
  Result result(frame);
  const Arg& a = frame.args[0];
  const Arg& b = frame.args[1];
  if constexpr (op == C::equal || op == C::not_equal)
    return result.finish(
        pack(frame.rows, [&](std::int64_t i) { return (a.text(i) == b.text(i)) == (op == C::equal); }));
  return result.finish(pack(frame.rows, [&](std::int64_t i) { return holds<op>(order(a.text(i), b.text(i))); }));
}

template <C op>
Column compare_booleans(const Frame& frame) {
  Result result(frame);
  const Column& a = frame.args[0].column;
  const Column& b = frame.args[1].column;
  return result.finish(pack(frame.rows, [&](std::int64_t i) { return holds<op>(order(a.bit(i), b.bit(i))); }));
}

template <C op>
Column compare(const Frame& frame) {
  switch (frame.args[0].column.type().kind) {
    case TypeKind::boolean: return compare_booleans<op>(frame);
    case TypeKind::bigint:
    case TypeKind::timestamptz:
      return map<bool, std::int64_t, std::int64_t>(frame, [](auto a, auto b) { return holds<op>(order(a, b)); });
    case TypeKind::float64:
      return map<bool, double, double>(frame, [](double a, double b) { return holds<op>(order(a, b)); });
    case TypeKind::numeric: return compare_numerics<op>(frame);
    case TypeKind::interval:
      return map<bool, Interval, Interval>(frame, [](const auto& a, const auto& b) { return holds<op>(order(a, b)); });
    default: return compare_texts<op>(frame);
  }
}

C comparison_named(const std::string& name) {
  if (name == "=") return C::equal;
  if (name == "<") return C::less;
  if (name == "<=") return C::less_equal;
  if (name == ">") return C::greater;
  if (name == ">=") return C::greater_equal;
  return C::not_equal;
}

// Numerics keep their scales: the comparison itself bridges them without overflow.
void unify_for_comparison(const std::string& what, Arguments& arguments) {
  const auto common = common_type(arguments);
  if (!common || common->kind != TypeKind::numeric) {
    unify(what, arguments);
    return;
  }
  for (ExpressionPtr& argument : arguments) {
    if (is_untyped(argument)) argument = as_number_literal(argument);
    argument = coerced(argument, TypeKind::numeric);
  }
}

ExpressionPtr build_comparison(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 2, 2);
  unify_for_comparison(function.name, arguments);
  const std::string name = function.name == "!=" ? "<>" : function.name;
  return make_call({name, Style::infix, Type::boolean(), true, false, comparison_kernel(comparison_named(name))},
                   std::move(arguments));
}

ExpressionPtr build_distinct(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 2, 2);
  unify_for_comparison(function.name, arguments);
  const bool negated = function.name == "is not distinct from";
  auto kernel = [negated](const Frame& frame) -> Column {
    const Column equal = compare<C::equal>(frame);
    const std::uint8_t* a = frame.args[0].column.validity().data();
    const std::uint8_t* b = frame.args[1].column.validity().data();
    return {frame.type, frame.rows, pack_words(frame.rows, [&](std::size_t w) {
              const std::uint64_t va = word_or_ones(a, w), vb = word_or_ones(b, w);
              const std::uint64_t distinct = (va ^ vb) | (va & vb & ~word_at(equal.values().data(), w));
              return negated ? ~distinct : distinct;
            })};
  };
  return make_call(
      {negated ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM", Style::infix, Type::boolean(), false, false, kernel},
      std::move(arguments));
}

ExpressionPtr build_between(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 3, 3);
  const bool negated = function.name == "not between";
  const ExpressionPtr low = call(negated ? "<" : ">=", {arguments[0], arguments[1]});
  const ExpressionPtr high = call(negated ? ">" : "<=", {arguments[0], arguments[2]});
  return call(negated ? "or" : "and", {low, high});
}

// Constant lists become a set; the keys are views into literals that the kernel keeps alive.
ExpressionPtr in_set(const Arguments& arguments) {
  const bool is_text = arguments[0]->type().is_bytes();
  const Arguments list(arguments.begin() + 1, arguments.end());
  auto texts = std::make_shared<std::unordered_set<std::string_view>>();
  auto numbers = std::make_shared<std::unordered_set<std::int64_t>>();
  for (const ExpressionPtr& item : list) {
    const Column& single = as_literal(item)->single();
    if (is_text)
      texts->insert(single.bytes(0));
    else
      numbers->insert(single.i64()[0]);
  }
  auto kernel = [is_text, texts, numbers, list](const Frame& frame) {
    Result result(frame);
    const Arg& arg = frame.args[0];
    const std::int64_t* in = is_text ? nullptr : arg.data<std::int64_t>();
    return result.finish(pack(
        frame.rows, [&](std::int64_t i) { return is_text ? texts->contains(arg.text(i)) : numbers->contains(in[i]); }));
  };
  return make_call({"IN", Style::function, Type::boolean(), true, false, kernel, 1}, arguments);
}

bool fits_set(const Arguments& arguments) {
  const TypeKind kind = arguments[0]->type().kind;
  const bool kind_fits = kind == TypeKind::text || kind == TypeKind::bigint || kind == TypeKind::timestamptz;
  return kind_fits && arguments.size() > 4 &&
         std::all_of(arguments.begin() + 1, arguments.end(),
                     [&](const ExpressionPtr& a) { return as_literal(a) != nullptr && !is_null_literal(a); });
}

ExpressionPtr build_in(const Function& function, Arguments& arguments) {
  if (arguments.size() < 2) no_overload(function, arguments);
  unify_for_comparison(function.name, arguments);
  ExpressionPtr result;
  if (fits_set(arguments)) {
    result = in_set(arguments);
  } else {
    Arguments equalities;
    for (std::size_t i = 1; i < arguments.size(); ++i) equalities.push_back(call("=", {arguments[0], arguments[i]}));
    result = equalities.size() == 1 ? equalities[0] : call("or", std::move(equalities));
  }
  return function.name == "in" ? result : call("not", {result});
}

}  // namespace

Int128 interval_total(const Interval& v) {
  constexpr Int128 kDay = 86'400'000'000;
  return (static_cast<Int128>(v.months) * 30 + v.days) * kDay + v.us;
}

Kernel comparison_kernel(Comparison op) {
  switch (op) {
    case C::equal: return compare<C::equal>;
    case C::not_equal: return compare<C::not_equal>;
    case C::less: return compare<C::less>;
    case C::less_equal: return compare<C::less_equal>;
    case C::greater: return compare<C::greater>;
    case C::greater_equal: break;
  }
  return compare<C::greater_equal>;
}

void add_comparison(Functions& functions) {
  for (const char* name : {"=", "<>", "!=", "<", "<=", ">", ">="})
    functions.push_back({name,
                         "value " + std::string(name) + " value → boolean (of one type, or both numbers)",
                         {},
                         build_comparison,
                         Style::infix});
  for (const char* name : {"is distinct from", "is not distinct from"})
    functions.push_back({name, "value IS [NOT] DISTINCT FROM value → boolean", {}, build_distinct, Style::infix});
  for (const char* name : {"between", "not between"})
    functions.push_back({name, "value [NOT] BETWEEN low AND high → boolean", {}, build_between, Style::infix});
  for (const char* name : {"in", "not in"})
    functions.push_back({name, "value [NOT] IN (value, …) → boolean", {}, build_in, Style::infix});
}

}  // namespace kappa::expression
