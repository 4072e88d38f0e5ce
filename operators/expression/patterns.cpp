// LIKE, ILIKE and regular expressions (RE2: linear time, no back references).
#include <re2/re2.h>

#include "kappa/operators/expression/like.h"
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

constexpr std::string_view kLoneEscape = "a LIKE pattern must not end with the escape character \\";

Kernel constant_like(const std::string& text, bool negated, bool ignore_case) {
  auto pattern = LikePattern::compile(text, ignore_case);
  if (!pattern) usage_error(std::string(kLoneEscape) + ": " + shown(text));
  return [negated, pattern = std::move(*pattern)](const Frame& frame) {
    Result result(frame);
    const Arg& in = frame.args[0];
    return result.finish(pack(frame.rows, [&](std::int64_t i) { return pattern.matches(in.text(i)) != negated; }));
  };
}

Kernel variable_like(bool negated, bool ignore_case) {
  return [negated, ignore_case](const Frame& frame) {
    Result result(frame);
    Buffer values = pack_words(frame.rows, [](std::size_t) { return std::uint64_t{0}; });
    result.for_live([&](std::int64_t i) {
      const auto pattern = LikePattern::compile(frame.args[1].text(i), ignore_case);
      if (!pattern) return result.fail(i, kLoneEscape);
      set_bit(values.mutable_data(), i, pattern->matches(frame.args[0].text(i)) != negated);
    });
    return result.finish(std::move(values));
  };
}

void need_texts(const Function& function, Arguments& arguments, std::size_t least, std::size_t most) {
  need_arguments(function, arguments, least, most);
  for (ExpressionPtr& argument : arguments) {
    if (argument->type().kind != TypeKind::text && !is_null_literal(argument)) no_overload(function, arguments);
    argument = cast(argument, Type::text());
  }
}

const std::string* constant_text(const ExpressionPtr& expression) {
  const Literal* literal = as_literal(expression);
  return literal == nullptr || literal->value().is_null() ? nullptr : &std::get<std::string>(literal->value().data);
}

ExpressionPtr build_like(const Function& function, Arguments& arguments) {
  need_texts(function, arguments, 2, 2);
  const bool negated = function.name.starts_with("not ") || function.name.starts_with("!");
  const bool ignore_case = function.name.find("ilike") != std::string::npos || function.name.ends_with("*");
  const std::string name = std::string(negated ? "NOT " : "") + (ignore_case ? "ILIKE" : "LIKE");
  const std::string* pattern = constant_text(arguments[1]);
  if (pattern == nullptr)
    return make_call({name, Style::infix, Type::boolean(), true, false, variable_like(negated, ignore_case)},
                     std::move(arguments));
  Kernel kernel = constant_like(*pattern, negated, ignore_case);
  return make_call({name, Style::infix, Type::boolean(), true, false, std::move(kernel), 1}, std::move(arguments));
}

using Regex = std::shared_ptr<const re2::RE2>;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

Regex compile_regex(const Function& function, const ExpressionPtr& expression, bool ignore_case) {
  const std::string* pattern = constant_text(expression);
  if (pattern == nullptr)
    usage_error("the pattern of " + function.name + " must be a constant, not " + expression->text());
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  options.set_dot_nl(true);  // as PostgreSQL's
  auto regex = std::make_shared<const re2::RE2>(*pattern, options);
  if (!regex->ok())
    usage_error("invalid regular expression " + shown(*pattern) + ": " + regex->error() +
                " (RE2's syntax: no back references, no lookaround)");
  return regex;
}

ExpressionPtr build_match(const Function& function, Arguments& arguments) {
  need_texts(function, arguments, 2, 2);
  if (is_null_literal(arguments[1])) return literal({Type::boolean(), std::monostate()});
  const bool negated = function.name[0] == '!';
  const Regex regex = compile_regex(function, arguments[1], function.name.ends_with("*"));
  auto kernel = [regex, negated](const Frame& frame) {
    Result result(frame);
    Buffer values = pack_words(frame.rows, [](std::size_t) { return std::uint64_t{0}; });
    result.for_live([&](std::int64_t i) {
      set_bit(values.mutable_data(), i, re2::RE2::PartialMatch(piece(frame.args[0].text(i)), *regex) != negated);
    });
    return result.finish(std::move(values));
  };
  return make_call({function.name, function.style, Type::boolean(), true, false, kernel, 1}, std::move(arguments));
}

// The first match's group 1, or, without groups, the match; null where nothing matches.
ExpressionPtr build_substr(const Function& function, Arguments& arguments) {
  need_texts(function, arguments, 2, 2);
  if (is_null_literal(arguments[1])) return literal({Type::text(), std::monostate()});
  const Regex regex = compile_regex(function, arguments[1], false);
  auto kernel = [regex](const Frame& frame) {
    Result result(frame);
    TextWriter writer(frame.rows);
    result.for_live([&](std::int64_t i) {
      re2::StringPiece groups[2];
      const re2::StringPiece text = piece(frame.args[0].text(i));
      const int wanted = regex->NumberOfCapturingGroups() > 0 ? 1 : 0;
      const bool found = regex->Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups, 2);
      if (!found || groups[wanted].data() == nullptr) return result.set_null(i);
      writer.begin(i).append(groups[wanted].data(), groups[wanted].size());
    });
    auto [values, offsets] = writer.finish();
    return result.finish(std::move(values), std::move(offsets));
  };
  return make_call({function.name, Style::function, Type::text(), true, true, kernel, 1}, std::move(arguments));
}

// PostgreSQL writes the whole match as \&, RE2 as \0.
std::string rewrite_of(const Function& function, const ExpressionPtr& expression, const re2::RE2& regex) {
  const std::string* text = constant_text(expression);
  if (text == nullptr)
    usage_error("the replacement of " + function.name + " must be a constant, not " + expression->text());
  std::string rewrite, error;
  for (std::size_t i = 0; i < text->size(); ++i) {
    rewrite += (*text)[i];
    if ((*text)[i] == '\\' && i + 1 < text->size()) rewrite += (*text)[++i] == '&' ? '0' : (*text)[i];
  }
  if (!regex.CheckRewriteString(piece(rewrite), &error))
    usage_error("invalid replacement " + shown(*text) + " of " + function.name + ": " + error);
  return rewrite;
}

ExpressionPtr build_replace(const Function& function, Arguments& arguments) {
  need_texts(function, arguments, 3, 4);
  const std::string* flags = arguments.size() > 3 ? constant_text(arguments[3]) : nullptr;
  if (arguments.size() > 3 && (flags == nullptr || flags->find_first_not_of("gi") != std::string::npos))
    usage_error("the flags of regexp_replace are a constant of g (all matches) and i (ignore case), not " +
                arguments[3]->text());
  const bool all = flags != nullptr && flags->find('g') != std::string::npos;
  const Regex regex = compile_regex(function, arguments[1], flags != nullptr && flags->find('i') != std::string::npos);
  const std::string rewrite = rewrite_of(function, arguments[2], *regex);
  auto kernel = [regex, rewrite, all](const Frame& frame) {
    return text_rows(frame, [&](std::int64_t i, std::string& out) {
      std::string text(frame.args[0].text(i));
      if (all)
        re2::RE2::GlobalReplace(&text, *regex, rewrite);
      else
        re2::RE2::Replace(&text, *regex, rewrite);
      out.append(text);
      return std::string_view();
    });
  };
  return make_call({function.name, Style::function, Type::text(), true, false, kernel, 1}, std::move(arguments));
}

}  // namespace

void add_patterns(Functions& functions) {
  for (const char* name : {"like", "~~", "not like", "!~~"})
    functions.push_back({name,
                         "text [NOT] LIKE pattern → boolean; % any text, _ one character, \\ escapes",
                         {},
                         build_like,
                         Style::infix});
  for (const char* name : {"ilike", "~~*", "not ilike", "!~~*"})
    functions.push_back(
        {name, "text [NOT] ILIKE pattern → boolean; ignores the case of ASCII letters", {}, build_like, Style::infix});
  for (const char* name : {"~", "~*", "!~", "!~*"})
    functions.push_back({name,
                         "text " + std::string(name) + " pattern → boolean; * ignores case, ! negates",
                         {},
                         build_match,
                         Style::infix});
  functions.push_back({"regexp_like", "regexp_like(text, pattern) → boolean", {}, build_match});
  functions.push_back({"regexp_substr", "regexp_substr(text, pattern) → text", {}, build_substr});
  functions.push_back(
      {"regexp_replace", "regexp_replace(text, pattern, replacement [, flags]) → text", {}, build_replace});
}

}  // namespace kappa::expression
