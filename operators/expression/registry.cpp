#include "kappa/operators/expression/registry.h"

#include <algorithm>
#include <map>

#include "kappa/operators/expression/comparison.h"

namespace kappa::expression {

namespace {

std::string lower_name(const std::string& name) {
  std::string out = name;
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

const std::map<std::string, Function>& functions_by_name() {
  static const std::map<std::string, Function> kFunctions = [] {
    Functions all;
    add_logic(all);
    add_conditional(all);
    add_comparison(all);
    add_arithmetic(all);
    add_math(all);
    add_text(all);
    add_text_parts(all);
    add_patterns(all);
    add_time(all);
    std::map<std::string, Function> by_name;
    for (Function& function : all) by_name.emplace(function.name, std::move(function));
    return by_name;
  }();
  return kFunctions;
}

bool reads_a_clock(const std::string& name) {
  static const std::vector<std::string> kNames{"now",
                                               "current_timestamp",
                                               "current_date",
                                               "current_time",
                                               "localtime",
                                               "localtimestamp",
                                               "clock_timestamp",
                                               "statement_timestamp",
                                               "transaction_timestamp",
                                               "timeofday"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

[[noreturn]] void unknown_function(const std::string& name) {
  if (reads_a_clock(name))
    usage_error(name +
                " does not exist: kappa pipelines see no clock, so that a replay gives the same results; use the "
                "event time column");
  if (name == "random" || name == "gen_random_uuid" || name == "setseed" || name == "uuid_generate_v4")
    usage_error(name +
                " does not exist: nothing random decides anything in a pipeline, so that a replay gives the same "
                "results; put the value into the record where it is produced");
  const std::string near = nearest_word(name, function_names());
  usage_error("function " + name + " does not exist" + (near.empty() ? "" : "; did you mean " + near + "?"));
}

// The number of conversions that `overload` needs, or -1 where it does not fit.
int conversions(const Overload& overload, const Arguments& arguments) {
  if (overload.arguments.size() != arguments.size()) return -1;
  int count = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const TypeKind want = type_of_letter(overload.arguments[i]).kind;
    const TypeKind have = arguments[i]->type().kind;
    if (want == have) continue;
    if (is_untyped(arguments[i])) {
      count += want == TypeKind::text ? 0 : 8;
    } else if (have == TypeKind::bigint && (want == TypeKind::numeric || want == TypeKind::float64)) {
      count += want == TypeKind::numeric ? 1 : 2;
    } else if (have == TypeKind::numeric && want == TypeKind::float64) {
      ++count;
    } else {
      return -1;
    }
  }
  return count;
}

ExpressionPtr by_overload(const Function& function, Arguments& arguments) {
  const Overload* best = nullptr;
  int best_count = 0;
  for (const Overload& overload : function.overloads) {
    const int count = conversions(overload, arguments);
    if (count >= 0 && (best == nullptr || count < best_count)) {
      best = &overload;
      best_count = count;
    }
  }
  if (best == nullptr) no_overload(function, arguments);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    arguments[i] = coerced(arguments[i], type_of_letter(best->arguments[i]).kind);
  const bool from_argument = best->result >= '1' && best->result <= '9';
  const Type type =
      from_argument ? arguments[static_cast<std::size_t>(best->result - '1')]->type() : type_of_letter(best->result);
  return make_call({function.name, function.style, type, true, false, best->kernel}, std::move(arguments));
}

int integer_digits(Type type) { return type.precision - type.scale; }

Type wider(Type a, Type b) {
  if (a.kind != TypeKind::numeric || b.kind != TypeKind::numeric) return a;
  const int scale = std::max(a.scale, b.scale);
  const int precision = std::min(38, std::max(integer_digits(a), integer_digits(b)) + scale);
  return Type::numeric(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale));
}

int rank(TypeKind kind) {
  switch (kind) {
    case TypeKind::bigint: return 1;
    case TypeKind::numeric: return 2;
    case TypeKind::float64: return 3;
    default: return 0;
  }
}

Type as_numeric(Type type) { return type.kind == TypeKind::bigint ? Type::numeric(19, 0) : type; }

std::optional<Type> common_of(Type a, Type b) {
  if (a.kind == b.kind) return wider(a, b);
  if (rank(a.kind) == 0 || rank(b.kind) == 0) return std::nullopt;
  if (a.kind == TypeKind::float64 || b.kind == TypeKind::float64) return Type::float64();
  return wider(as_numeric(a), as_numeric(b));
}

}  // namespace

Type type_of_letter(char letter) {
  switch (letter) {
    case 'b': return Type::bigint();
    case 'd': return Type::float64();
    case 'n': return Type::numeric(38, 6);
    case 't': return Type::text();
    case 'y': return Type::bytea();
    case 'z': return Type::timestamptz();
    case 'i': return Type::interval();
    default: break;
  }
  KAPPA_CHECK(letter == 'o', "a letter of the table names a type");
  return Type::boolean();
}

void no_overload(const Function& function, const Arguments& arguments) {
  std::string types;
  for (const ExpressionPtr& argument : arguments) types += (types.empty() ? "" : ", ") + to_string(argument->type());
  const bool is_operator = function.style != Style::function;
  usage_error(
      (is_operator ? "operator " + function.name + " does not exist for (" : "function " + function.name + "(") +
      types + (is_operator ? ")" : ") does not exist") + "; usage: " + function.usage);
}

void need_arguments(const Function& function, const Arguments& arguments, std::size_t least, std::size_t most) {
  if (arguments.size() < least || arguments.size() > most) no_overload(function, arguments);
}

ExpressionPtr coerced(const ExpressionPtr& expression, TypeKind kind) {
  const TypeKind have = expression->type().kind;
  if (have == kind) return expression;
  const bool numbers = rank(have) > 0 && rank(kind) > rank(have);
  if (!numbers && !is_untyped(expression)) return nullptr;
  if (kind != TypeKind::numeric) return cast(expression, Type{kind});
  return cast(expression, have == TypeKind::bigint ? Type::numeric(19, 0) : Type::numeric(38, 6));
}

std::optional<Type> common_type(const Arguments& arguments) {
  std::optional<Type> common;
  for (const ExpressionPtr& argument : arguments) {
    if (is_untyped(argument)) continue;
    common = common ? common_of(*common, argument->type()) : argument->type();
    if (!common) return std::nullopt;
  }
  return common ? common : Type::text();
}

Type unify(const std::string& what, Arguments& arguments) {
  auto type = common_type(arguments);
  if (type && type->kind == TypeKind::numeric) {  // a literal's digits count, not just the columns'
    for (ExpressionPtr& argument : arguments)
      if (is_untyped(argument)) argument = as_number_literal(argument);
    type = common_type(arguments);
  }
  if (!type) {
    std::string types;
    for (const ExpressionPtr& argument : arguments) types += (types.empty() ? "" : ", ") + to_string(argument->type());
    usage_error(what + ": types " + types + " do not match; cast them to one type, such as CAST(" +
                arguments[0]->text() + " AS " + to_string(arguments.back()->type()) + ")");
  }
  for (ExpressionPtr& argument : arguments) argument = cast(argument, *type);
  return *type;
}

}  // namespace kappa::expression

namespace kappa {

ExpressionPtr call(const std::string& name, std::vector<ExpressionPtr> arguments) {
  const std::string lower = expression::lower_name(name);
  const auto& functions = expression::functions_by_name();
  const auto found = functions.find(lower);
  if (found == functions.end()) expression::unknown_function(lower);
  const expression::Function& function = found->second;
  if (function.build != nullptr)
    if (ExpressionPtr built = function.build(function, arguments)) return built;
  return expression::by_overload(function, arguments);
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const auto& entry : expression::functions_by_name()) names.push_back(entry.first);
  return names;
}

std::optional<Type> parse_type(const std::string& name, std::vector<int> modifiers) {
  static const std::map<std::string, Type> kTypes{{"boolean", Type::boolean()},
                                                  {"bool", Type::boolean()},
                                                  {"bigint", Type::bigint()},
                                                  {"int8", Type::bigint()},
                                                  {"integer", Type::bigint()},
                                                  {"int", Type::bigint()},
                                                  {"int4", Type::bigint()},
                                                  {"smallint", Type::bigint()},
                                                  {"int2", Type::bigint()},
                                                  {"double precision", Type::float64()},
                                                  {"double", Type::float64()},
                                                  {"float8", Type::float64()},
                                                  {"float", Type::float64()},
                                                  {"real", Type::float64()},
                                                  {"float4", Type::float64()},
                                                  {"text", Type::text()},
                                                  {"varchar", Type::text()},
                                                  {"character varying", Type::text()},
                                                  {"bytea", Type::bytea()},
                                                  {"timestamptz", Type::timestamptz()},
                                                  {"timestamp with time zone", Type::timestamptz()},
                                                  {"interval", Type::interval()}};
  const std::string lower = expression::lower_name(name);
  if (lower == "numeric" || lower == "decimal") {
    const int precision = modifiers.empty() ? 38 : modifiers[0];
    const int scale = modifiers.empty() ? 6 : modifiers.size() > 1 ? modifiers[1] : 0;
    if (modifiers.size() > 2 || precision < 1 || precision > 38 || scale < 0 || scale > precision) return std::nullopt;
    return Type::numeric(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale));
  }
  const auto found = kTypes.find(lower);
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace kappa
