#include "kappa/sql/bind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>

#include "kappa/sql/catalog.h"
#include "kappa/sql/peers.h"

namespace kappa::sql {

namespace {
class Binder {
 public:
  Binder(const SourceText& source, Resolver& resolver) : source_(source), resolver_(resolver) {}

  ExpressionPtr bind(const Json& node) {
    if (ExpressionPtr whole = resolver_.whole(node)) return whole;
    using Method = ExpressionPtr (Binder::*)(const Json&, int);
    static const std::map<std::string, Method> methods = {
        {"ColumnRef", &Binder::column_ref},     {"A_Const", &Binder::constant},
        {"A_Expr", &Binder::operation},         {"BoolExpr", &Binder::boolean},
        {"NullTest", &Binder::null_test},       {"BooleanTest", &Binder::boolean_test},
        {"CaseExpr", &Binder::case_expression}, {"CoalesceExpr", &Binder::coalesce},
        {"MinMaxExpr", &Binder::min_max},       {"TypeCast", &Binder::type_cast},
        {"SQLValueFunction", &Binder::clock},
    };
    const int location = location_of(node);
    if (is_kind(node, "FuncCall")) return is_aggregate(node) ? resolver_.aggregate(node) : function(node, location);
    const auto found = methods.find(kind_of(node));
    if (found == methods.end()) unsupported(node, location);
    return (this->*found->second)(body_of(node), location);
  }

 private:
  ExpressionPtr call(int location, const std::string& name, std::vector<ExpressionPtr> arguments) {
    return source_.located(location, [&] { return kappa::call(name, std::move(arguments)); });
  }
  std::vector<ExpressionPtr> bind_all(const Json& list) {
    std::vector<ExpressionPtr> bound;
    for (const Json& node : list) bound.push_back(bind(node));
    return bound;
  }

  ExpressionPtr column_ref(const Json& body, int location) { return resolver_.column(body, location); }
  ExpressionPtr constant(const Json& body, int location);
  ExpressionPtr operation(const Json& body, int location);
  ExpressionPtr plain_operator(const Json& body, int location);
  ExpressionPtr function(const Json& node, int location);
  ExpressionPtr case_expression(const Json& body, int location);
  ExpressionPtr type_cast(const Json& body, int location);
  [[noreturn]] void unsupported(const Json& node, int location) const;

  ExpressionPtr boolean(const Json& body, int location) {
    const std::string op = text_of(body, "boolop");
    const Json& arguments = member(body, "args");
    if (op == "NOT_EXPR") return call(location, "not", bind_all(arguments));
    return call(location, op == "AND_EXPR" ? "and" : "or", bind_all(arguments));
  }
  ExpressionPtr null_test(const Json& body, int location) {
    const bool is_null = text_of(body, "nulltesttype") == "IS_NULL";
    return call(location, is_null ? "is null" : "is not null", {bind(member(body, "arg"))});
  }
  ExpressionPtr boolean_test(const Json& body, int location) {
    static const std::map<std::string, std::string> tests = {
        {"IS_TRUE", "is true"},   {"IS_NOT_TRUE", "is not true"},   {"IS_UNKNOWN", "is unknown"},
        {"IS_FALSE", "is false"}, {"IS_NOT_FALSE", "is not false"}, {"IS_NOT_UNKNOWN", "is not unknown"},
    };
    return call(location, tests.at(text_of(body, "booltesttype")), {bind(member(body, "arg"))});
  }
  ExpressionPtr coalesce(const Json& body, int location) {
    return call(location, "coalesce", bind_all(member(body, "args")));
  }
  ExpressionPtr min_max(const Json& body, int location) {
    return call(location, text_of(body, "op") == "IS_LEAST" ? "least" : "greatest", bind_all(member(body, "args")));
  }
  [[noreturn]] ExpressionPtr clock(const Json& body, int location) {
    static_cast<void>(body);
    source_.error(location, "the wall clock is not available in a pipeline",
                  "a replay must give the same results: use the rows' event time");
  }

  const SourceText& source_;
  Resolver& resolver_;
};

Value approximate(const std::string& text) {
  const double value = std::strtod(text.c_str(), nullptr);
  if (!std::isfinite(value)) usage_error(fmt::format("the number {} is too great for double precision", text));
  return {Type::float64(), value};
}

/// "1.5e3" → "1500", "1e-3" → "0.001"; empty where that has more than 38 digits.
std::string without_exponent(const std::string& text) {
  const std::size_t e = text.find_first_of("eE");
  const long exponent = std::strtol(text.c_str() + e + 1, nullptr, 10);
  const std::size_t point = std::min(text.find('.'), e);
  std::string digits = text.substr(0, point) + (point < e ? text.substr(point + 1, e - point - 1) : "");
  if (digits.size() > 38 || exponent > 38 || exponent < -38) return {};
  const long whole = static_cast<long>(point) + exponent;  // digits in front of the point
  if (whole <= 0) return "0." + std::string(static_cast<std::size_t>(-whole), '0') + digits;
  const auto places = static_cast<std::size_t>(whole);
  if (places >= digits.size()) return digits + std::string(places - digits.size(), '0');
  return digits.insert(places, ".");
}

/// Without point and exponent bigint where it fits, else numeric with the digits written; double precision where 38
/// digits do not hold it.
Value number(const std::string& written) {
  const bool negative = written.front() == '-';
  const std::string plain = written.substr(negative ? 1 : 0);
  const bool exponent = plain.find_first_of("eE") != std::string::npos;
  const std::string text = exponent ? without_exponent(plain) : plain;
  if (text.empty()) return approximate(written);
  const std::size_t point = text.find('.');
  Int128 value = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') continue;
    if (value != 0 || c != '0') ++digits;
    if (digits > 38) return approximate(written);
    value = value * 10 + (c - '0');
  }
  const std::size_t scale = point == std::string::npos ? 0 : text.size() - point - 1;
  if (scale > 38) return approximate(written);
  if (negative) value = -value;
  if (scale == 0 && !exponent && value <= INT64_MAX && value >= INT64_MIN)
    return {Type::bigint(), static_cast<std::int64_t>(value)};
  const std::size_t precision = std::max({digits, scale, std::size_t{1}});
  return {Type::numeric(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale)), value};
}

ExpressionPtr Binder::constant(const Json& body, int location) {
  if (flag_of(body, "isnull")) return literal(Value{Type::text(), {}});
  if (body.contains("ival")) return literal(Value{Type::bigint(), body["ival"].value("ival", std::int64_t{0})});
  if (body.contains("boolval")) return literal(Value{Type::boolean(), flag_of(body["boolval"], "boolval")});
  if (body.contains("sval")) return literal(Value{Type::text(), text_of(body["sval"], "sval")});
  if (body.contains("fval"))
    return source_.located(location, [&] { return literal(number(text_of(body["fval"], "fval"))); });
  source_.error(location, "bit strings are not supported");
}

ExpressionPtr Binder::operation(const Json& body, int location) {
  const std::string kind = text_of(body, "kind");
  const std::vector<std::string> names = strings_of(member(body, "name"));
  const std::string name = names.empty() ? std::string() : names.back();
  if (kind == "AEXPR_OP") return plain_operator(body, location);
  if (kind == "AEXPR_OP_ANY" || kind == "AEXPR_OP_ALL")
    source_.error(location, "ANY and ALL are not supported", "write x IN (a, b)");
  if (kind == "AEXPR_SIMILAR") source_.error(location, "SIMILAR TO is not supported", "write LIKE");
  if (kind == "AEXPR_BETWEEN_SYM" || kind == "AEXPR_NOT_BETWEEN_SYM")
    source_.error(location, "BETWEEN SYMMETRIC is not supported", "write x BETWEEN least(a, b) AND greatest(a, b)");
  ExpressionPtr left = bind(member(body, "lexpr"));
  const Json& right = member(body, "rexpr");
  if (kind == "AEXPR_BETWEEN" || kind == "AEXPR_NOT_BETWEEN" || kind == "AEXPR_IN") {
    std::vector<ExpressionPtr> arguments = bind_all(member(body_of(right), "items"));
    arguments.insert(arguments.begin(), left);
    ExpressionPtr found = call(location, kind == "AEXPR_IN" ? "in" : "between", std::move(arguments));
    const bool negated = kind == "AEXPR_NOT_BETWEEN" || (kind == "AEXPR_IN" && name == "<>");
    return negated ? call(location, "not", {found}) : found;
  }
  if ((kind == "AEXPR_LIKE" || kind == "AEXPR_ILIKE") && function_name(right) == "like_escape")
    source_.error(location_of(right), "ESCAPE is not supported", "a backslash escapes % and _ in patterns");
  static const std::map<std::string, std::string> functions = {
      {"AEXPR_DISTINCT", "is distinct from"},
      {"AEXPR_NOT_DISTINCT", "is not distinct from"},
      {"AEXPR_NULLIF", "nullif"},
      {"AEXPR_LIKE", "like"},
      {"AEXPR_ILIKE", "ilike"},
  };
  const auto function = functions.find(kind);
  if (function == functions.end()) source_.error(location, fmt::format("{} is not supported", name));
  const bool negated = (kind == "AEXPR_LIKE" || kind == "AEXPR_ILIKE") && name.front() == '!';
  return call(location, negated ? "not " + function->second : function->second, {left, bind(right)});
}

ExpressionPtr Binder::plain_operator(const Json& body, int location) {
  const std::vector<std::string> names = strings_of(member(body, "name"));
  const std::string name = names.empty() ? std::string() : names.back();
  static const std::map<std::string, std::string> hints = {
      {"==", "equality is ="},
      {"&&", "write AND"},
      {"!", "write NOT"},
      {"->", "nested fields are columns with a path: WITH (path.column = 'user.id')"},
      {"->>", "nested fields are columns with a path: WITH (path.column = 'user.id')"},
  };
  const std::vector<std::string> known = function_names();
  if (std::count(known.begin(), known.end(), name) == 0) {
    const auto hint = hints.find(name);
    source_.error(location, fmt::format("there is no operator {}", name), hint == hints.end() ? "" : hint->second);
  }
  const ExpressionPtr left = member(body, "lexpr").is_null() ? nullptr : bind(member(body, "lexpr"));
  const ExpressionPtr right = bind(member(body, "rexpr"));
  if (!left) return name == "+" ? right : call(location, name, {right});
  return call(location, name, {left, right});
}

ExpressionPtr Binder::case_expression(const Json& body, int location) {
  const Json& subject_node = member(body, "arg");
  const ExpressionPtr subject = subject_node.is_null() ? nullptr : bind(subject_node);
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> whens;
  for (const Json& node : member(body, "args")) {
    const Json& when = body_of(node);
    ExpressionPtr condition = bind(member(when, "expr"));
    if (subject) condition = call(location_of(member(when, "expr")), "=", {subject, condition});
    if (condition->type().kind != TypeKind::boolean && !is_untyped_literal(member(when, "expr")))
      source_.error(location_of(member(when, "expr")),
                    fmt::format("WHEN takes a boolean, not {}", to_string(condition->type())));
    whens.emplace_back(condition, bind(member(when, "result")));
  }
  const Json& otherwise = member(body, "defresult");
  ExpressionPtr bound = otherwise.is_null() ? nullptr : bind(otherwise);
  return source_.located(location, [&] { return case_when(std::move(whens), bound); });
}

/// INTERVAL '10' SECOND: the unit that the type's modifier stands for; empty if none.
std::string interval_unit(const SourceText& source, const Json& type_name) {
  const Json& modifiers = member(type_name, "typmods");
  if (modifiers.empty()) return {};
  static const std::map<int, std::string> units = {{4, "years"},    {2, "months"},     {8, "days"},
                                                   {1024, "hours"}, {2048, "minutes"}, {4096, "seconds"}};
  const Json& value = member(member(body_of(modifiers.front()), "ival"), "ival");
  const auto unit = value.is_number_integer() && modifiers.size() == 1 ? units.find(value.get<int>()) : units.end();
  if (unit == units.end())
    source.error(type_name.value("location", -1), "intervals with a range of fields or a precision are not supported",
                 "write the unit inside: INTERVAL '10 seconds'");
  return unit->second;
}

/// The text of an INTERVAL literal with its unit; nothing if the node is another expression.
std::optional<std::string> interval_text(const SourceText& source, const Json& type_cast_body) {
  const Json& type = member(type_cast_body, "typeName");
  const std::vector<std::string> names = strings_of(member(type, "names"));
  const Json& argument = member(type_cast_body, "arg");
  if (names.empty() || names.back() != "interval" || !is_kind(argument, "A_Const")) return std::nullopt;
  if (!body_of(argument).contains("sval")) return std::nullopt;
  const std::string unit = interval_unit(source, type);
  const std::string text = text_of(body_of(argument)["sval"], "sval");
  return unit.empty() ? text : text + " " + unit;
}

ExpressionPtr Binder::type_cast(const Json& body, int location) {
  const std::optional<std::string> interval = interval_text(source_, body);
  const Json& argument = member(body, "arg");
  const ExpressionPtr from = interval ? literal(Value{Type::text(), *interval}) : bind(argument);
  const Type to = interval ? Type::interval() : read_type(source_, member(body, "typeName"));
  return source_.located(location, [&] {
    ExpressionPtr result = kappa::cast(from, to);
    if (from->is_constant()) static_cast<void>(constant_value(*result));  // a wrong literal is an error now
    return result;
  });
}

ExpressionPtr Binder::function(const Json& node, int location) {
  const Json& body = body_of(node);
  std::string name = function_name(node);
  if (body.contains("over")) source_.error(location, "window functions (OVER) are not available", kWindowHint);
  for (const char* clause :
       {"agg_distinct", "agg_star", "agg_filter", "agg_order", "agg_within_group", "func_variadic"})
    if (body.contains(clause)) source_.error(location, fmt::format("{}() is not an aggregate", name));
  if (name == "timezone")
    source_.error(location, "AT TIME ZONE is not available yet", "timestamps are instants, and shown in UTC");
  const std::vector<std::string> known = function_names();
  const auto exists = [&](const char* other) { return std::count(known.begin(), known.end(), other) > 0; };
  if (name == "btrim" && !exists("btrim")) name = "trim";
  if (std::count(known.begin(), known.end(), name) == 0)
    if (const std::string hint = hint_for_function(name); !hint.empty())
      source_.error(location, fmt::format("there is no function {}()", name), hint);
  return call(location, name, bind_all(member(body, "args")));
}

void Binder::unsupported(const Json& node, int location) const {
  static const std::map<std::string, std::pair<std::string, std::string>> known = {
      {"SubLink", {"subqueries in expressions are not available", "put it into FROM, or into a view"}},
      {"A_ArrayExpr", {"arrays are not available in expressions", ""}},
      {"A_Indirection",
       {"elements and fields of values are not available in expressions",
        "nested fields are columns with a path: WITH (path.column = 'user.id')"}},
      {"RowExpr", {"row values are not supported", "write the columns one by one"}},
      {"ParamRef", {"parameters ($1) are not supported", ""}},
      {"CollateClause", {"COLLATE is not supported", "text is compared bytewise"}},
      {"NamedArgExpr", {"arguments are given by position", "leave out the name and =>"}},
      {"SetToDefault", {"DEFAULT is not supported", "write NULL"}},
  };
  const auto found = known.find(kind_of(node));
  if (found == known.end()) source_.error(location, "this expression is not supported");
  source_.error(location, found->second.first, found->second.second);
}
}  // namespace

ExpressionPtr bind_expression(const SourceText& source, const Json& node, Resolver& resolver) {
  return Binder(source, resolver).bind(node);
}

std::string function_name(const Json& node) {
  if (!is_kind(node, "FuncCall")) return {};
  const std::vector<std::string> names = strings_of(member(body_of(node), "funcname"));
  return names.empty() ? std::string() : names.back();
}

bool is_aggregate(const Json& node) {
  static constexpr std::array<const char*, 20> names = {"count",
                                                        "sum",
                                                        "min",
                                                        "max",
                                                        "avg",
                                                        "array_agg",
                                                        "string_agg",
                                                        "bool_and",
                                                        "bool_or",
                                                        "every",
                                                        "stddev",
                                                        "stddev_pop",
                                                        "stddev_samp",
                                                        "variance",
                                                        "var_pop",
                                                        "var_samp",
                                                        "mode",
                                                        "json_agg",
                                                        "percentile_cont",
                                                        "percentile_disc"};
  const std::string name = function_name(node);
  return !name.empty() && !body_of(node).contains("over") &&
         std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
}

bool has_aggregate(const Json& node) {
  if (is_aggregate(node)) return true;
  if (!node.is_structured() || is_kind(node, "SubLink")) return false;
  return std::any_of(node.begin(), node.end(), has_aggregate);
}

bool is_untyped_literal(const Json& node) {
  return is_kind(node, "A_Const") && (body_of(node).contains("sval") || flag_of(body_of(node), "isnull"));
}

std::int64_t length_us(const SourceText& source, const Json& node, const std::string& what) {
  const int location = location_of(node);
  std::optional<std::string> text;
  if (is_kind(node, "TypeCast")) text = interval_text(source, body_of(node));
  if (is_kind(node, "A_Const") && body_of(node).contains("sval")) text = text_of(body_of(node)["sval"], "sval");
  if (!text) source.error(location, what + " is a constant length", "write INTERVAL '10 seconds' or '10s'");
  const std::int64_t us = source.located(location, [&] { return duration_us(*text); });
  if (us == 0) source.error(location, what + " is zero", "write INTERVAL '10 seconds' or '10s'");
  return us;
}

}  // namespace kappa::sql
