// CASE, COALESCE, NULLIF, GREATEST, LEAST: each part is evaluated for the rows that reach it.
#include <algorithm>

#include "kappa/operators/expression/comparison.h"
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

class Case final : public Expression {
 public:
  Case(Type type, bool nullable, Arguments conditions, Arguments values, ExpressionPtr otherwise)
      : Expression(type, nullable),
        conditions_(std::move(conditions)),
        values_(std::move(values)),
        otherwise_(std::move(otherwise)) {}

  [[nodiscard]] std::string text() const override {
    std::string out = "CASE";
    for (std::size_t i = 0; i < values_.size(); ++i)
      out += " WHEN " + conditions_[i]->text() + " THEN " + values_[i]->text();
    return out + (otherwise_ ? " ELSE " + otherwise_->text() : "") + " END";
  }

  [[nodiscard]] Column evaluate(const Batch& batch, RowMask active, Failures& failures) const override {
    Words open = words_of(active, batch.rows);
    std::vector<Part> parts;
    for (std::size_t k = 0; k < values_.size() && any_bit(open, batch.rows); ++k) {
      const Column condition = conditions_[k]->evaluate(batch, as_mask(open), failures);
      Words taken(open.size());
      for (std::size_t w = 0; w < open.size(); ++w) {
        taken[w] = open[w] & word_at(condition.values().data(), w) & word_or_ones(condition.validity().data(), w);
        open[w] &= ~taken[w];
      }
      if (!any_bit(taken, batch.rows)) continue;
      Column value = values_[k]->evaluate(batch, as_mask(taken), failures);
      parts.push_back({std::move(value), std::move(taken)});
    }
    if (otherwise_ && any_bit(open, batch.rows)) {
      Column value = otherwise_->evaluate(batch, as_mask(open), failures);
      parts.push_back({std::move(value), std::move(open)});
    }
    return without_failed(blend(type(), batch.rows, parts), failures);
  }

  [[nodiscard]] bool is_constant() const override {
    return all_constant(conditions_) && all_constant(values_) && (!otherwise_ || otherwise_->is_constant());
  }

 private:
  Arguments conditions_, values_;
  ExpressionPtr otherwise_;
};

class Coalesce final : public Expression {
 public:
  Coalesce(Type type, bool nullable, Arguments arguments)
      : Expression(type, nullable), arguments_(std::move(arguments)) {}

  [[nodiscard]] std::string text() const override {
    std::string out = "COALESCE(";
    for (std::size_t i = 0; i < arguments_.size(); ++i) out += (i == 0 ? "" : ", ") + arguments_[i]->text();
    return out + ")";
  }

  [[nodiscard]] Column evaluate(const Batch& batch, RowMask active, Failures& failures) const override {
    Words open = words_of(active, batch.rows);
    std::vector<Part> parts;
    for (const ExpressionPtr& argument : arguments_) {
      if (!any_bit(open, batch.rows)) break;
      Column value = argument->evaluate(batch, as_mask(open), failures);
      if (parts.empty() && !value.may_have_nulls()) return value;
      Words taken(open.size());
      for (std::size_t w = 0; w < open.size(); ++w) {
        taken[w] = open[w] & word_or_ones(value.validity().data(), w);
        open[w] &= ~taken[w];
      }
      parts.push_back({std::move(value), std::move(taken)});
    }
    return without_failed(blend(type(), batch.rows, parts), failures);
  }

  [[nodiscard]] bool is_constant() const override { return all_constant(arguments_); }

 private:
  Arguments arguments_;
};

// GREATEST and LEAST of two; nulls are ignored.
Column extreme_of(const Frame& frame, const Kernel& keeps_first) {
  const Type boolean = Type::boolean();
  const Column first = keeps_first(Frame{frame.args, boolean, frame.rows, frame.active, frame.failures, frame.self});
  const Column& a = frame.args[0].column;
  const Column& b = frame.args[1].column;
  Words take_a(word_count(frame.rows)), take_b(take_a.size());
  for (std::size_t w = 0; w < take_a.size(); ++w) {
    const std::uint64_t va = word_or_ones(a.validity().data(), w), vb = word_or_ones(b.validity().data(), w);
    take_a[w] = va & (~vb | word_at(first.values().data(), w));
    take_b[w] = vb & ~take_a[w];
  }
  const Part parts[] = {{a, std::move(take_a)}, {b, std::move(take_b)}};
  return blend(frame.type, frame.rows, parts);
}

ExpressionPtr build_extreme(const Function& function, Arguments& arguments) {
  if (arguments.empty()) no_overload(function, arguments);
  const Type type = unify(function.name, arguments);
  const Kernel keeps_first =
      comparison_kernel(function.name == "greatest" ? Comparison::greater_equal : Comparison::less_equal);
  ExpressionPtr result = arguments[0];
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const bool nullable = result->nullable() && arguments[i]->nullable();
    result = make_call({function.name, Style::function, type, false, nullable,
                        [keeps_first](const Frame& frame) { return extreme_of(frame, keeps_first); }},
                       {result, arguments[i]});
  }
  return result;
}

ExpressionPtr build_coalesce(const Function& function, Arguments& arguments) {
  if (arguments.empty()) no_overload(function, arguments);
  const Type type = unify(function.name, arguments);
  const bool nullable = std::all_of(arguments.begin(), arguments.end(), [](const auto& a) { return a->nullable(); });
  return fold(std::make_shared<Coalesce>(type, nullable, std::move(arguments)));
}

ExpressionPtr build_nullif(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 2, 2);
  const ExpressionPtr value = arguments[0];
  const ExpressionPtr null = literal({value->type(), std::monostate()});
  return case_when({{call("=", {arguments[0], arguments[1]}), null}}, value);
}

}  // namespace

void add_conditional(Functions& functions) {
  functions.push_back({"coalesce", "coalesce(value, …) → value", {}, build_coalesce});
  functions.push_back({"nullif", "nullif(value, value) → value", {}, build_nullif});
  functions.push_back({"greatest", "greatest(value, …) → value", {}, build_extreme});
  functions.push_back({"least", "least(value, …) → value", {}, build_extreme});
}

}  // namespace kappa::expression

namespace kappa {

ExpressionPtr case_when(std::vector<std::pair<ExpressionPtr, ExpressionPtr>> whens, ExpressionPtr otherwise) {
  using namespace expression;
  KAPPA_CHECK(!whens.empty(), "CASE has at least one WHEN");
  Arguments conditions, values;
  for (auto& [when, then] : whens) {
    const ExpressionPtr condition = coerced(when, TypeKind::boolean);
    if (!condition) usage_error("WHEN " + when->text() + " is " + to_string(when->type()) + ", not boolean");
    conditions.push_back(condition);
    values.push_back(then);
  }
  if (otherwise) values.push_back(otherwise);
  const Type type = unify("CASE", values);
  bool nullable = !otherwise;
  for (const ExpressionPtr& value : values) nullable |= value->nullable();
  if (otherwise) {
    otherwise = values.back();
    values.pop_back();
  }
  return fold(std::make_shared<Case>(type, nullable, std::move(conditions), std::move(values), std::move(otherwise)));
}

}  // namespace kappa
