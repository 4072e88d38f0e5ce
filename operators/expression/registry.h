// kappa/operators/expression/registry.h: the table of functions by name, and how arguments find their overload
// (internal to this directory).
//
// Types are written as letters: b bigint, d double precision, n numeric, t text, y bytea, z timestamptz, i interval,
// o boolean; as a result, '1' and '2' mean the type of that argument.
//
// Errors:   builders throw Error{usage} with the types given and the function's usage line.
#pragma once

#include "kappa/operators/expression/nodes.h"

namespace kappa::expression {

using Arguments = std::vector<ExpressionPtr>;

struct Overload {
  std::string_view arguments;
  char result;
  Column (*kernel)(const Frame&);
};

struct Function {
  std::string name;
  std::string usage;  // "lower(text) → text"
  std::vector<Overload> overloads;
  /// Builds the call where overloads do not suffice; null result: try the overloads.
  ExpressionPtr (*build)(const Function& function, Arguments& arguments) = nullptr;
  Style style = Style::function;
};
using Functions = std::vector<Function>;

// One table per file of this directory.
void add_logic(Functions& functions);
void add_conditional(Functions& functions);
void add_comparison(Functions& functions);
void add_arithmetic(Functions& functions);
void add_math(Functions& functions);
void add_text(Functions& functions);
void add_text_parts(Functions& functions);
void add_patterns(Functions& functions);
void add_time(Functions& functions);

/// "function lower(bigint) does not exist; usage: …"; for operators "operator …".
[[noreturn]] void no_overload(const Function& function, const Arguments& arguments);
void need_arguments(const Function& function, const Arguments& arguments, std::size_t least, std::size_t most);
[[nodiscard]] Type type_of_letter(char letter);

/// An argument as another type where SQL converts without being asked: an untyped literal to anything, bigint to
/// numeric and double, numeric to double. Null where it does not.
[[nodiscard]] ExpressionPtr coerced(const ExpressionPtr& expression, TypeKind kind);
/// The type that all arguments of a CASE, COALESCE, IN, comparison convert to; nullopt where there is none.
[[nodiscard]] std::optional<Type> common_type(const Arguments& arguments);
/// Converts every argument to the common type, or throws: "<what>: types text and bigint do not match; cast one side".
Type unify(const std::string& what, Arguments& arguments);

}  // namespace kappa::expression
