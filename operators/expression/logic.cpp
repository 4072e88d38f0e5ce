// AND, OR, NOT and the IS tests: SQL's three-valued logic, 64 rows at a time.
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

// AND stops at the first false, OR at the first true: `stop_` is that value.
class Junction final : public Expression {
 public:
  Junction(bool stop, Arguments arguments, bool nullable)
      : Expression(Type::boolean(), nullable), stop_(stop), arguments_(std::move(arguments)) {}

  [[nodiscard]] std::string text() const override {
    std::string out = "(";
    for (std::size_t i = 0; i < arguments_.size(); ++i)
      out += (i == 0 ? "" : stop_ ? " OR " : " AND ") + arguments_[i]->text();
    return out + ")";
  }

  [[nodiscard]] Column evaluate(const Batch& batch, RowMask active, Failures& failures) const override {
    const std::int64_t rows = batch.rows;
    const std::uint64_t flip = stop_ ? 0 : ~0ULL;
    Words open = words_of(active, rows);  // rows not decided yet
    Words stopped(open.size(), 0), unknown(open.size(), 0);
    for (const ExpressionPtr& argument : arguments_) {
      if (!any_bit(open, rows)) break;
      const Column part = argument->evaluate(batch, as_mask(open), failures);
      for (std::size_t w = 0; w < open.size(); ++w) {
        const std::uint64_t valid = word_or_ones(part.validity().data(), w);
        const std::uint64_t stops = open[w] & valid & (word_at(part.values().data(), w) ^ flip);
        unknown[w] |= open[w] & ~valid;
        stopped[w] |= stops;
        open[w] &= ~stops;
      }
    }
    Buffer values = pack_words(rows, [&](std::size_t w) { return stopped[w] ^ flip; });
    Buffer validity = pack_words(rows, [&](std::size_t w) { return stopped[w] | ~unknown[w]; });
    return without_failed({type(), rows, std::move(values), std::move(validity)}, failures);
  }

  [[nodiscard]] bool is_constant() const override { return all_constant(arguments_); }

 private:
  bool stop_;
  Arguments arguments_;
};

ExpressionPtr build_junction(const Function& function, Arguments& arguments) {
  if (arguments.size() < 2) no_overload(function, arguments);
  bool nullable = false;
  for (ExpressionPtr& argument : arguments) {
    const ExpressionPtr condition = coerced(argument, TypeKind::boolean);
    if (!condition)
      usage_error("an argument of " + function.name + " is " + to_string(argument->type()) +
                  ", not boolean: " + argument->text());
    argument = condition;
    nullable |= argument->nullable();
  }
  return fold(std::make_shared<Junction>(function.name == "or", std::move(arguments), nullable));
}

Column not_kernel(const Frame& frame) {
  Result result(frame);
  const std::uint8_t* in = frame.args[0].column.values().data();
  return result.finish(pack_words(frame.rows, [&](std::size_t w) { return ~word_at(in, w); }));
}

// Results of the IS tests are never null: `f(value, valid)` gives a word.
template <class F>
Column is_test(const Frame& frame, F f) {
  const Column& in = frame.args[0].column;
  const bool is_boolean = in.type().kind == TypeKind::boolean;
  return {frame.type, frame.rows, pack_words(frame.rows, [&](std::size_t w) {
            return f(is_boolean ? word_at(in.values().data(), w) : 0, word_or_ones(in.validity().data(), w));
          })};
}

using Word = std::uint64_t;

Kernel test_kernel(const std::string& name) {
  if (name == "is null" || name == "is unknown")
    return [](const Frame& f) { return is_test(f, [](Word, Word valid) { return ~valid; }); };
  if (name == "is not null" || name == "is not unknown")
    return [](const Frame& f) { return is_test(f, [](Word, Word valid) { return valid; }); };
  if (name == "is true") return [](const Frame& f) { return is_test(f, [](Word v, Word valid) { return v & valid; }); };
  if (name == "is not true")
    return [](const Frame& f) { return is_test(f, [](Word v, Word valid) { return ~(v & valid); }); };
  if (name == "is false")
    return [](const Frame& f) { return is_test(f, [](Word v, Word valid) { return ~v & valid; }); };
  return [](const Frame& f) { return is_test(f, [](Word v, Word valid) { return v | ~valid; }); };
}

ExpressionPtr build_test(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 1, 1);
  const bool any_type = function.name == "is null" || function.name == "is not null";
  if (!any_type) {
    const ExpressionPtr condition = coerced(arguments[0], TypeKind::boolean);
    if (!condition) no_overload(function, arguments);
    arguments[0] = condition;
  }
  std::string upper = function.name;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return make_call({upper, Style::postfix, Type::boolean(), false, false, test_kernel(function.name)},
                   std::move(arguments));
}

}  // namespace

void add_logic(Functions& functions) {
  functions.push_back({"and", "boolean AND boolean → boolean", {}, build_junction, Style::infix});
  functions.push_back({"or", "boolean OR boolean → boolean", {}, build_junction, Style::infix});
  functions.push_back({"not", "NOT boolean → boolean", {{"o", 'o', not_kernel}}, nullptr, Style::prefix});
  for (const char* name : {"is null", "is not null"})
    functions.push_back({name, "value IS [NOT] NULL → boolean", {}, build_test, Style::postfix});
  for (const char* name : {"is true", "is not true", "is false", "is not false", "is unknown", "is not unknown"})
    functions.push_back({name, "boolean IS [NOT] TRUE | FALSE | UNKNOWN → boolean", {}, build_test, Style::postfix});
}

}  // namespace kappa::expression
