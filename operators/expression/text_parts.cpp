// Text functions that measure, find and cut.
#include <algorithm>
#include <limits>

#include "kappa/operators/expression/characters.h"
#include "kappa/operators/expression/registry.h"

namespace kappa::expression {

namespace {

template <class F>
Column measure(const Frame& frame, F f) {
  Result result(frame);
  Buffer values = Buffer::allocate(static_cast<std::size_t>(frame.rows) * 8);
  auto* out = values.as_mutable<std::int64_t>();
  for (std::int64_t i = 0; i < frame.rows; ++i) out[i] = f(i);
  return result.finish(std::move(values));
}

Column length(const Frame& frame) {
  return measure(frame, [&](std::int64_t i) { return count_characters(frame.args[0].text(i)); });
}

Column octet_length(const Frame& frame) {
  return measure(frame, [&](std::int64_t i) { return static_cast<std::int64_t>(frame.args[0].text(i).size()); });
}

Column strpos(const Frame& frame) {
  return measure(frame, [&](std::int64_t i) {
    const std::string_view text = frame.args[0].text(i);
    const std::size_t at = text.find(frame.args[1].text(i));
    return at == std::string_view::npos ? 0 : count_characters(text.substr(0, at)) + 1;
  });
}

Column starts_with(const Frame& frame) {
  Result result(frame);
  return result.finish(
      pack(frame.rows, [&](std::int64_t i) { return frame.args[0].text(i).starts_with(frame.args[1].text(i)); }));
}

Column ends_with(const Frame& frame) {
  Result result(frame);
  return result.finish(
      pack(frame.rows, [&](std::int64_t i) { return frame.args[0].text(i).ends_with(frame.args[1].text(i)); }));
}

Column substring(const Frame& frame) {
  const auto* from = frame.args[1].data<std::int64_t>();
  const auto* count = frame.args.size() > 2 ? frame.args[2].data<std::int64_t>() : nullptr;
  return text_rows(frame, [&](std::int64_t i, std::string& out) -> std::string_view {
    if (count != nullptr && count[i] < 0) return "negative substring length";
    std::int64_t end = std::numeric_limits<std::int64_t>::max();
    if (count != nullptr && __builtin_add_overflow(from[i], count[i], &end))
      end = std::numeric_limits<std::int64_t>::max();
    const std::int64_t start = std::max<std::int64_t>(from[i], 1);
    if (end <= start) return "";
    std::string_view text = frame.args[0].text(i);
    text.remove_prefix(character_offset(text, start - 1));
    out.append(text.substr(0, character_offset(text, end - start)));
    return "";
  });
}

Column left(const Frame& frame) {
  const auto* count = frame.args[1].data<std::int64_t>();
  return text_rows(frame, [&](std::int64_t i, std::string& out) {
    const std::string_view text = frame.args[0].text(i);
    const bool all_but = count[i] < 0;
    const std::int64_t n = all_but ? -std::max(count[i], -std::numeric_limits<std::int64_t>::max()) : count[i];
    out.append(text.substr(0, all_but ? offset_from_end(text, n) : character_offset(text, n)));
    return std::string_view();
  });
}

Column right(const Frame& frame) {
  const auto* count = frame.args[1].data<std::int64_t>();
  return text_rows(frame, [&](std::int64_t i, std::string& out) {
    const std::string_view text = frame.args[0].text(i);
    const bool all_but = count[i] < 0;
    const std::int64_t n = all_but ? -std::max(count[i], -std::numeric_limits<std::int64_t>::max()) : count[i];
    out.append(text.substr(all_but ? character_offset(text, n) : offset_from_end(text, n)));
    return std::string_view();
  });
}

template <bool at_start, bool at_end>
Column trim(const Frame& frame) {
  return text_rows(frame, [&](std::int64_t i, std::string& out) {
    std::string_view text = frame.args[0].text(i);
    const std::string_view set = frame.args.size() > 1 ? frame.args[1].text(i) : " ";
    if (set.empty()) {  // every text contains the empty one, no character is in it
      out.append(text);
      return std::string_view();
    }
    while (at_start && !text.empty()) {
      const std::size_t size = next_character(text, 0);
      if (set.find(text.substr(0, size)) == std::string_view::npos) break;
      text.remove_prefix(size);
    }
    while (at_end && !text.empty()) {
      const std::size_t at = previous_character(text, text.size());
      if (set.find(text.substr(at)) == std::string_view::npos) break;
      text = text.substr(0, at);
    }
    out.append(text);
    return std::string_view();
  });
}

Column replace(const Frame& frame) {
  return text_rows(frame, [&](std::int64_t i, std::string& out) -> std::string_view {
    const std::string_view text = frame.args[0].text(i), what = frame.args[1].text(i), by = frame.args[2].text(i);
    const std::size_t start = out.size();
    const std::size_t limit = std::max(kMadeTextMax, text.size());
    std::size_t at = 0;
    while (!what.empty()) {
      const std::size_t found = text.find(what, at);
      if (found == std::string_view::npos) break;
      out.append(text.substr(at, found - at));
      out.append(by);
      if (out.size() - start > limit) return kMadeTextCause;
      at = found + what.size();
    }
    out.append(text.substr(at));
    return "";
  });
}

// Part n (from 1) of a text split at a delimiter.
std::string_view part_from_start(std::string_view text, std::string_view delimiter, std::int64_t n) {
  for (;; --n) {
    const std::size_t end = text.find(delimiter);
    if (n == 1) return text.substr(0, end);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + delimiter.size());
  }
}

std::string_view part_from_end(std::string_view text, std::string_view delimiter, std::int64_t n) {
  for (;; --n) {
    const std::size_t start = text.rfind(delimiter);
    const bool found = start != std::string_view::npos;
    if (n == 1) return found ? text.substr(start + delimiter.size()) : text;
    if (!found) return {};
    text = text.substr(0, start);
  }
}

Column split_part(const Frame& frame) {
  const auto* n = frame.args[2].data<std::int64_t>();
  return text_rows(frame, [&](std::int64_t i, std::string& out) -> std::string_view {
    const std::string_view text = frame.args[0].text(i), delimiter = frame.args[1].text(i);
    if (n[i] == 0) return "field position must not be zero";
    if (n[i] == std::numeric_limits<std::int64_t>::min()) return "";
    if (delimiter.empty()) {
      if (n[i] == 1 || n[i] == -1) out.append(text);
      return "";
    }
    out.append(n[i] > 0 ? part_from_start(text, delimiter, n[i]) : part_from_end(text, delimiter, -n[i]));
    return "";
  });
}

void add_cuts(Functions& functions) {
  for (const char* name : {"substring", "substr"})
    functions.push_back({name,
                         std::string(name) + "(text, from [, count]) → text; characters from 1",
                         {{"tb", 't', substring}, {"tbb", 't', substring}}});
  functions.push_back({"left", "left(text, count) → text; negative: all but the last", {{"tb", 't', left}}});
  functions.push_back({"right", "right(text, count) → text; negative: all but the first", {{"tb", 't', right}}});
  for (const char* name : {"trim", "btrim"})
    functions.push_back({name,
                         std::string(name) + "(text [, characters]) → text",
                         {{"t", 't', trim<true, true>}, {"tt", 't', trim<true, true>}}});
  functions.push_back(
      {"ltrim", "ltrim(text [, characters]) → text", {{"t", 't', trim<true, false>}, {"tt", 't', trim<true, false>}}});
  functions.push_back(
      {"rtrim", "rtrim(text [, characters]) → text", {{"t", 't', trim<false, true>}, {"tt", 't', trim<false, true>}}});
  functions.push_back({"replace", "replace(text, what, by) → text", {{"ttt", 't', replace}}});
  functions.push_back({"split_part",
                       "split_part(text, delimiter, n) → text; n from 1, negative from the end",
                       {{"ttb", 't', split_part}}});
}

}  // namespace

void add_text_parts(Functions& functions) {
  for (const char* name : {"length", "char_length", "character_length"})
    functions.push_back({name,
                         std::string(name) + "(text) → bigint; characters (length(bytea): bytes)",
                         {{"t", 'b', length}, {"y", 'b', octet_length}}});
  functions.push_back(
      {"octet_length", "octet_length(text or bytea) → bigint", {{"t", 'b', octet_length}, {"y", 'b', octet_length}}});
  functions.push_back({"strpos", "strpos(text, part) → bigint; 0 where it is not found", {{"tt", 'b', strpos}}});
  functions.push_back({"position", "position(part IN text) → bigint; as call: (text, part)", {{"tt", 'b', strpos}}});
  functions.push_back({"starts_with", "starts_with(text, prefix) → boolean", {{"tt", 'o', starts_with}}});
  functions.push_back({"ends_with", "ends_with(text, suffix) → boolean", {{"tt", 'o', ends_with}}});
  add_cuts(functions);
}

}  // namespace kappa::expression
