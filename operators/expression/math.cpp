// Numeric functions. Roots, exponentials and logarithms are computed as double precision.
#include <algorithm>
#include <cmath>

#include "kappa/operators/expression/numeric.h"
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

Column abs_bigint(const Frame& frame) {
  return checked<std::int64_t, std::int64_t>(frame, [](std::int64_t& out, std::int64_t v) {
    const bool overflow = __builtin_sub_overflow(std::int64_t{0}, v, &out);
    out = v < 0 ? out : v;
    return overflow ? Fault::bigint_range : Fault::none;
  });
}
Column abs_double(const Frame& frame) {
  return map<double, double>(frame, [](double v) { return std::fabs(v); });
}
Column abs_numeric(const Frame& frame) {
  return map<Int128, Int128>(frame, [](Int128 v) { return static_cast<Int128>(magnitude(v)); });
}

Column sign_bigint(const Frame& frame) {
  return map<std::int64_t, std::int64_t>(frame,
                                         [](std::int64_t v) { return std::int64_t{v > 0} - std::int64_t{v < 0}; });
}
Column sign_double(const Frame& frame) {
  return map<double, double>(frame, [](double v) { return v > 0 ? 1.0 : v < 0 ? -1.0 : v; });
}
Column sign_numeric(const Frame& frame) {
  const Int128 one = power_of_ten(frame.type.scale);
  return map<Int128, Int128>(frame, [one](Int128 v) { return v > 0 ? one : v < 0 ? -one : v; });
}

Column same_bigint(const Frame& frame) {
  return map<std::int64_t, std::int64_t>(frame, [](std::int64_t v) { return v; });
}

template <double (*f)(double)>
Column map_double(const Frame& frame) {
  return map<double, double>(frame, [](double v) { return f(v); });
}
double ceil_of(double v) { return std::ceil(v); }
double floor_of(double v) { return std::floor(v); }
double trunc_of(double v) { return std::trunc(v); }
double round_of(double v) { return std::nearbyint(v); }  // half to even, as PostgreSQL

// NaN and infinite results of other arguments are faults.
Fault judged(double out, double v) {
  if (out != out && v == v) return Fault::domain;
  return std::isinf(out) && std::isfinite(v) ? Fault::double_range : Fault::none;
}

template <double (*f)(double)>
Column checked_double(const Frame& frame) {
  return checked<double, double>(frame, [](double& out, double v) {
    out = f(v);
    return judged(out, v);
  });
}
double sqrt_of(double v) { return std::sqrt(v); }
double exp_of(double v) { return std::exp(v); }

template <double (*f)(double)>
Column logarithm(const Frame& frame) {
  return checked<double, double>(frame, [](double& out, double v) {
    out = f(v);
    return v <= 0 ? Fault::domain : Fault::none;
  });
}
double ln_of(double v) { return std::log(v); }
double log10_of(double v) { return std::log10(v); }

Column log_base(const Frame& frame) {
  return checked<double, double, double>(frame, [](double& out, double base, double v) {
    out = std::log(v) / std::log(base);
    if (v <= 0 || base <= 0) return Fault::domain;
    return base == 1 ? Fault::division_by_zero : Fault::none;
  });
}

Column power(const Frame& frame) {
  return checked<double, double, double>(frame, [](double& out, double a, double b) {
    out = std::pow(a, b);
    if (a == 0 && b < 0) return Fault::domain;
    return a == a && b == b && std::isfinite(b) ? judged(out, a) : Fault::none;
  });
}

enum class Rounding : std::uint8_t { half_away, down, up, to_zero };

bool divide_rounding(Int128 v, Int128 by, Rounding how, Int128& out) {
  if (how == Rounding::half_away) return numeric_divide(v, by, 0, out);
  const Int128 rest = v % by;
  out = v / by;
  if (how == Rounding::down && rest < 0) --out;
  if (how == Rounding::up && rest > 0) ++out;
  return true;
}

// To `digits` behind the point (negative: before it); the result has scale max(digits, 0).
Kernel rounding_kernel(int scale, int digits, Rounding how) {
  const int cut = std::clamp(scale - digits, 0, 38);
  const int result_scale = std::max(digits, 0);
  return [=](const Frame& frame) {
    return checked<Int128, Int128>(frame, [=](Int128& out, Int128 v) {
      Int128 rounded = v;
      out = 0;
      if (cut > 0 && !divide_rounding(v, power_of_ten(cut), how, rounded)) return Fault::numeric_range;
      const int now = scale - cut;  // below zero where digits are
      return numeric_rescale(rounded, 0, result_scale - now, out) ? Fault::none : Fault::numeric_range;
    });
  };
}

Rounding rounding_named(const std::string& name) {
  if (name == "floor") return Rounding::down;
  if (name == "ceil" || name == "ceiling") return Rounding::up;
  return name == "trunc" ? Rounding::to_zero : Rounding::half_away;
}

int constant_digits(const Function& function, const ExpressionPtr& expression) {
  const Literal* literal = as_literal(expression);
  if (literal == nullptr || literal->value().is_null() || literal->type().kind != TypeKind::bigint)
    usage_error("the digits of " + function.name + " must be a constant integer, not " + expression->text());
  const std::int64_t digits = std::get<std::int64_t>(literal->value().data);
  if (digits < -38 || digits > 38) usage_error("the digits of " + function.name + " lie between -38 and 38");
  return static_cast<int>(digits);
}

ExpressionPtr build_rounding(const Function& function, Arguments& arguments) {
  const bool takes_digits = function.name == "round" || function.name == "trunc";
  need_arguments(function, arguments, 1, takes_digits ? 2 : 1);
  const TypeKind kind = arguments[0]->type().kind;
  if (arguments.size() == 1 && kind != TypeKind::numeric) return nullptr;
  if (kind != TypeKind::numeric && kind != TypeKind::bigint) {
    if (kind == TypeKind::float64)
      usage_error(function.name + "(double precision, digits) does not exist; cast to numeric: " + function.name +
                  "(CAST(" + arguments[0]->text() + " AS numeric(38,6)), …)");
    no_overload(function, arguments);
  }
  const int digits = arguments.size() == 2 ? constant_digits(function, arguments[1]) : 0;
  arguments[0] = coerced(arguments[0], TypeKind::numeric);
  const Type from = arguments[0]->type();
  const int scale = std::max(digits, 0);
  const int precision = std::min(38, std::max(1, from.precision - from.scale + 1 + scale));
  const Type type = Type::numeric(static_cast<std::uint8_t>(precision), static_cast<std::uint8_t>(scale));
  return make_call({function.name, Style::function, type, true, false,
                    rounding_kernel(from.scale, digits, rounding_named(function.name)), 1},
                   std::move(arguments));
}

}  // namespace

void add_math(Functions& functions) {
  functions.push_back({"abs",
                       "abs(number) → the same type",
                       {{"b", 'b', abs_bigint}, {"n", '1', abs_numeric}, {"d", 'd', abs_double}}});
  functions.push_back({"sign",
                       "sign(number) → the same type: -1, 0, 1",
                       {{"b", 'b', sign_bigint}, {"n", '1', sign_numeric}, {"d", 'd', sign_double}}});
  for (const char* name : {"ceil", "ceiling"})
    functions.push_back({name,
                         std::string(name) + "(number) → bigint, numeric or double precision",
                         {{"b", 'b', same_bigint}, {"d", 'd', map_double<ceil_of>}},
                         build_rounding});
  functions.push_back({"floor",
                       "floor(number) → bigint, numeric or double precision",
                       {{"b", 'b', same_bigint}, {"d", 'd', map_double<floor_of>}},
                       build_rounding});
  functions.push_back({"round",
                       "round(number), round(numeric, digits)",
                       {{"b", 'b', same_bigint}, {"d", 'd', map_double<round_of>}},
                       build_rounding});
  functions.push_back({"trunc",
                       "trunc(number), trunc(numeric, digits)",
                       {{"b", 'b', same_bigint}, {"d", 'd', map_double<trunc_of>}},
                       build_rounding});
  functions.push_back({"sqrt", "sqrt(number) → double precision", {{"d", 'd', checked_double<sqrt_of>}}});
  functions.push_back({"exp", "exp(number) → double precision", {{"d", 'd', checked_double<exp_of>}}});
  functions.push_back({"ln", "ln(number) → double precision", {{"d", 'd', logarithm<ln_of>}}});
  functions.push_back({"log",
                       "log(number) to base 10, log(base, number) → double precision",
                       {{"d", 'd', logarithm<log10_of>}, {"dd", 'd', log_base}}});
  functions.push_back({"power", "power(number, number) → double precision", {{"dd", 'd', power}}});
  functions.push_back({"pow", "pow(number, number) → double precision", {{"dd", 'd', power}}});
  functions.push_back({"^", "number ^ number → double precision", {{"dd", 'd', power}}, nullptr, Style::infix});
}

}  // namespace kappa::expression
