// Text functions that make new text: case, padding, repetition, concatenation.
#include <algorithm>

#include "kappa/operators/expression/characters.h"
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

// Text f(text): appends to out and cannot fail.
template <class F>
Column transform(const Frame& frame, F f) {
  return text_rows(frame, [&](std::int64_t i, std::string& out) {
    f(out, frame.args[0].text(i));
    return std::string_view();
  });
}

Column lower(const Frame& frame) {
  return transform(frame, [](std::string& out, std::string_view text) {
    for (const char c : text) out += ascii_lower(c);
  });
}

Column upper(const Frame& frame) {
  return transform(frame, [](std::string& out, std::string_view text) {
    for (const char c : text) out += ascii_upper(c);
  });
}

Column reverse(const Frame& frame) {
  return transform(frame, [](std::string& out, std::string_view text) {
    for (std::size_t end = text.size(); end > 0;) {
      const std::size_t at = previous_character(text, end);
      out.append(text.substr(at, end - at));
      end = at;
    }
  });
}

Column repeat(const Frame& frame) {
  const auto* times = frame.args[1].data<std::int64_t>();
  return text_rows(frame, [&](std::int64_t i, std::string& out) -> std::string_view {
    const std::string_view text = frame.args[0].text(i);
    if (times[i] <= 0 || text.empty()) return "";
    if (static_cast<std::uint64_t>(times[i]) > kMadeTextMax / text.size()) return kMadeTextCause;
    for (std::int64_t k = 0; k < times[i]; ++k) out.append(text);
    return "";
  });
}

// Appends `count` characters of `fill`, over and over; false where that gets too long.
bool append_fill(std::string& out, std::string_view fill, std::int64_t count) {
  const std::size_t limit = out.size() + kMadeTextMax;
  std::size_t at = 0;
  for (; count > 0; --count) {
    const std::size_t next = next_character(fill, at);
    out.append(fill.substr(at, next - at));
    if (out.size() > limit) return false;
    at = next == fill.size() ? 0 : next;
  }
  return true;
}

Column pad(const Frame& frame, bool left) {
  const auto* length = frame.args[1].data<std::int64_t>();
  return text_rows(frame, [&](std::int64_t i, std::string& out) -> std::string_view {
    const std::string_view text = frame.args[0].text(i);
    const std::string_view fill = frame.args.size() > 2 ? frame.args[2].text(i) : " ";
    const std::int64_t missing = std::max<std::int64_t>(length[i], 0) - count_characters(text);
    if (missing <= 0) {
      out.append(text.substr(0, character_offset(text, std::max<std::int64_t>(length[i], 0))));
      return "";
    }
    if (!left) out.append(text);
    if (!fill.empty() && !append_fill(out, fill, missing)) return kMadeTextCause;
    if (left) out.append(text);
    return "";
  });
}

Column lpad(const Frame& frame) { return pad(frame, true); }
Column rpad(const Frame& frame) { return pad(frame, false); }

Column join_strict(const Frame& frame) {
  return text_rows(frame, [&](std::int64_t i, std::string& out) {
    for (const Arg& arg : frame.args) out.append(arg.text(i));
    return std::string_view();
  });
}

// A frame whose result is null only where one of the first `strict` arguments is.
Frame with_strict(const Frame& f, std::size_t strict) {
  return {f.args.first(strict), f.type, f.rows, f.active, f.failures, f.self};
}

Column concat(const Frame& frame) {
  return text_rows(with_strict(frame, 0), [&](std::int64_t i, std::string& out) {
    for (const Arg& arg : frame.args)
      if (!arg.column.is_null(i)) out.append(arg.text(i));
    return std::string_view();
  });
}

Column concat_ws(const Frame& frame) {
  return text_rows(with_strict(frame, 1), [&](std::int64_t i, std::string& out) {
    bool first = true;
    for (const Arg& arg : frame.args.subspan(1)) {
      if (arg.column.is_null(i)) continue;
      if (!first) out.append(frame.args[0].text(i));
      out.append(arg.text(i));
      first = false;
    }
    return std::string_view();
  });
}

ExpressionPtr build_concat(const Function& function, Arguments& arguments) {
  const bool separated = function.name == "concat_ws";
  if (arguments.size() < (separated ? 2U : 1U)) no_overload(function, arguments);
  const bool nullable = separated && arguments[0]->nullable();
  for (ExpressionPtr& argument : arguments) argument = cast(argument, Type::text());
  return make_call({function.name, Style::function, Type::text(), false, nullable, separated ? concat_ws : concat},
                   std::move(arguments));
}

ExpressionPtr build_join(const Function& function, Arguments& arguments) {
  need_arguments(function, arguments, 2, 2);
  const auto is = [&](std::size_t k, TypeKind kind) { return arguments[k]->type().kind == kind; };
  const bool bytes = is(0, TypeKind::bytea) || is(1, TypeKind::bytea);
  if (!bytes && !is(0, TypeKind::text) && !is(1, TypeKind::text)) no_overload(function, arguments);
  const Type type = bytes ? Type::bytea() : Type::text();
  for (ExpressionPtr& argument : arguments) {
    if (bytes && argument->type().kind != TypeKind::bytea && !is_untyped(argument)) no_overload(function, arguments);
    argument = cast(argument, type);
  }
  return make_call({"||", Style::infix, type, true, false, join_strict}, std::move(arguments));
}

}  // namespace

void add_text(Functions& functions) {
  functions.push_back(
      {"||", "text || text → text (one side may have any type), bytea || bytea → bytea", {}, build_join, Style::infix});
  functions.push_back({"concat", "concat(value, …) → text; nulls are left out", {}, build_concat});
  functions.push_back({"concat_ws", "concat_ws(separator, value, …) → text; nulls are left out", {}, build_concat});
  functions.push_back({"lower", "lower(text) → text; ASCII letters only", {{"t", 't', lower}}});
  functions.push_back({"upper", "upper(text) → text; ASCII letters only", {{"t", 't', upper}}});
  functions.push_back({"reverse", "reverse(text) → text", {{"t", 't', reverse}}});
  functions.push_back({"repeat", "repeat(text, times) → text; at most 1 MiB", {{"tb", 't', repeat}}});
  for (const bool left : {true, false}) {
    const std::string name = left ? "lpad" : "rpad";
    const auto kernel = left ? lpad : rpad;
    functions.push_back(
        {name, name + "(text, characters [, fill]) → text", {{"tb", 't', kernel}, {"tbt", 't', kernel}}});
  }
}

}  // namespace kappa::expression
