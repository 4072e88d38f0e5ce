#include "kappa/operators/format/json_scanner.h"

#include <simdjson.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kappa/engine/error.h"
#include "kappa/operators/format/json_number.h"
#include "kappa/operators/format/json_value.h"

namespace kappa {

namespace {

// Where the fields of a document lie is remembered for so many places, and for names up to this length.
// (The name and its quotes are compared where they lie: they must be readable even where the document is cut off.)
constexpr std::size_t kPlacesMax = 256, kNameMax = 48;
constexpr std::int32_t kNoField = -1, kBadName = -2;
// After a document unlike the one before, so many are scanned in full: in a topic where none is alike, trying costs
// little.
constexpr int kUnlike = 15;

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// What may stand right behind a scalar.
constexpr std::array<bool, 256> make_scalar_ends() {
  std::array<bool, 256> ends{};
  for (const char c : {',', '}', ']', ' ', '\n', '\r', '\t'}) ends[static_cast<std::uint8_t>(c)] = true;
  return ends;
}
constexpr std::array<bool, 256> kScalarEnds = make_scalar_ends();
bool ends_scalar(char c) { return kScalarEnds[static_cast<std::uint8_t>(c)]; }

// The end of the number, true, false or null that starts here; null if there is none, or it does not end as it must.
inline const char* scalar_end(const char* text) {
  const char* end = nullptr;
  if (starts_number(*text)) [[likely]] {
    end = json_number_end(text);
  } else if (*text == 't') {
    if (text[1] == 'r' && text[2] == 'u' && text[3] == 'e') end = text + 4;
  } else if (*text == 'f') {
    if (text[1] == 'a' && text[2] == 'l' && text[3] == 's' && text[4] == 'e') end = text + 5;
  } else if (*text == 'n') {
    if (text[1] == 'u' && text[2] == 'l' && text[3] == 'l') end = text + 4;
  }
  return end != nullptr && ends_scalar(*end) ? end : nullptr;
}

#if defined(__SSE2__)
// A bit for each of 16 bytes that is a quote, a backslash, a control character or not ASCII.
inline std::uint64_t string_marks(const char* text) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i escape = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i other = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));  // signed: not ASCII is negative
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(quote, _mm_or_si128(escape, other))));
}
#endif

// The closing quote of the string whose first character this is; null where it is not plain ASCII without escapes, or
// does not end before `end`. Reads up to 63 bytes behind that. 64 bytes a step, since a wrong guess of how many steps a
// string takes costs more than looking at bytes behind it.
inline const char* plain_string_end([[maybe_unused]] const char* text, [[maybe_unused]] const char* end) {
#if defined(__SSE2__)
  for (; text < end; text += 64) {
    const std::uint64_t marks = string_marks(text) | string_marks(text + 16) << 16 | string_marks(text + 32) << 32 |
                                string_marks(text + 48) << 48;
    if (marks == 0) continue;
    text += std::countr_zero(marks);
    return *text == '"' && text < end ? text : nullptr;
  }
#endif
  return nullptr;
}

}  // namespace

JsonFields::JsonFields(const std::vector<std::vector<std::string>>& paths) : objects_(1) {
  for (const auto& path : paths) add(path, wanted_count_++);
}

void JsonFields::add(const std::vector<std::string>& path, std::int32_t wanted) {
  KAPPA_CHECK(!path.empty(), "a field has a name");
  std::size_t object = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (i > 0) objects_[object].wanted_below.push_back(wanted);
    auto& fields = objects_[object].fields;
    auto at = std::lower_bound(fields.begin(), fields.end(), path[i],
                               [](const Field& field, const std::string& name) { return field.name < name; });
    if (at == fields.end() || at->name != path[i]) at = fields.insert(at, Field{path[i], {}, -1});
    if (i + 1 == path.size()) {
      at->wanted.push_back(wanted);
      return;
    }
    if (at->object < 0) {
      at->object = static_cast<std::int32_t>(objects_.size());
      object = objects_.size();
      objects_.emplace_back();  // `at` and `fields` are not used behind this
    } else {
      object = static_cast<std::size_t>(at->object);
    }
  }
}

std::int32_t JsonFields::find(const Object& object, std::string_view name) {
  const auto& fields = object.fields;
  const auto at = std::lower_bound(fields.begin(), fields.end(), name,
                                   [](const Field& field, std::string_view n) { return field.name < n; });
  return at == fields.end() || at->name != name ? kNoField : static_cast<std::int32_t>(at - fields.begin());
}

JsonScanner::JsonScanner(JsonFields fields)
    : fields_(std::move(fields)), found_(static_cast<std::size_t>(fields_.wanted_count_), -1) {}

JsonScanner::~JsonScanner() = default;

bool JsonScanner::scan(std::string_view document) {
  json_ = document.data();
  size_ = document.size();
  std::fill(found_.begin(), found_.end(), -1);
  if (unlike_ > 0) {
    --unlike_;
  } else if (scan_as_before()) {
    return true;
  } else {
    unlike_ = kUnlike;
    std::fill(found_.begin(), found_.end(), -1);
  }
  if (!tokenize()) return false;
  if (json_[tokens_[0]] != '{') return reject("not a JSON object");
  if (json_[tokens_[count_ - 1]] != '}') return reject("not valid JSON: it does not end with }");
  // From here on every token but the last has a successor; the walk reads at most one character behind the document.
  has_escapes_ = std::memchr(json_, '\\', size_) != nullptr;
  at_ = 1;
  if (!walk_object(0, 1)) return false;
  return at_ == count_ || unexpected(at_);
}

// Returns false where the document is not spelled like the one before, whether it is JSON or not. The last character is
// a brace, which ends every scalar, so only a name or a string could lead the cursor out of the document.
bool JsonScanner::scan_as_before() {
  has_escapes_ = false;
  const JsonFields::Object& here = fields_.objects_[0];
  const char* const end = json_ + size_;
  if (size_ < 2 || json_[0] != '{' || end[-1] != '}') return false;
  const char* at = json_ + 1;
  for (const JsonFields::Expected& expected : here.expected) {
    if (*at != '"' || !expected.matches(at + 1)) return false;
    at += expected.size + 2;
    if (at >= end || *at != ':') return false;
    at += at[1] == ' ' ? 2 : 1;
    if (expected.field >= 0 &&
        note(here.fields[static_cast<std::size_t>(expected.field)], static_cast<std::uint32_t>(at - json_))) {
      return false;
    }
    if (*at == '"') {
      at = plain_string_end(at + 1, end);
      if (at == nullptr) return false;
      ++at;
    } else if ((at = scalar_end(at)) == nullptr) {
      return false;
    }
    if (*at != ',') return *at == '}' && at + 1 == end;
    at += at[1] == ' ' ? 2 : 1;
  }
  return false;
}

bool JsonScanner::tokenize() {
  constexpr std::size_t kCapacityMin = 1 << 16;
  if (tokenizer_ == nullptr || tokenizer_->capacity() < size_) {
    const std::size_t capacity = std::max(kCapacityMin, std::bit_ceil(size_));
    const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        capacity, static_cast<std::size_t>(kDepthMax), tokenizer_);
    if (error != simdjson::SUCCESS) fail("no memory to parse a JSON document of " + std::to_string(size_) + " bytes");
  }
  const auto error =
      tokenizer_->stage1(reinterpret_cast<const std::uint8_t*>(json_), size_, simdjson::stage1_mode::regular);
  count_ = tokenizer_->n_structural_indexes;
  tokens_ = tokenizer_->structural_indexes.get();
  switch (error) {
    case simdjson::SUCCESS: break;
    case simdjson::UTF8_ERROR: return reject("not valid UTF-8");
    case simdjson::UNCLOSED_STRING: return reject("not valid JSON: a string does not end");
    case simdjson::UNESCAPED_CHARS: return reject("not valid JSON: a control character in a string");
    case simdjson::EMPTY: return reject("empty value");
    default: return reject("not valid JSON");
  }
  return count_ > 0 || reject("empty value");
}

std::string_view JsonScanner::string_at(std::uint32_t token) const {
  // Only blanks lie between a string and the next token.
  std::uint32_t end = tokens_[token + 1] - 1;
  while (is_blank(json_[end])) --end;
  const std::uint32_t begin = tokens_[token] + 1;
  return {json_ + begin, end - begin};
}

// Compares the name at hand with the one that the document before had at this place: `start` and `mask` are the first
// 16 bytes of the name with its closing quote. Where they agree, the name ends there, and has no escapes.
inline bool JsonFields::Expected::matches(const char* name) const {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), name, sizeof words);
  if ((((words[0] ^ start[0]) & mask[0]) | ((words[1] ^ start[1]) & mask[1])) != 0) return false;
  return rest.empty() || std::memcmp(name + sizeof words, rest.data(), rest.size()) == 0;
}

void JsonFields::Expected::set(std::string_view name, std::int32_t its_field) {
  std::array<char, 16> bytes{}, bits{};
  const std::string quoted = std::string(name) + '"';
  const std::size_t compared = std::min(quoted.size(), bytes.size());
  std::memcpy(bytes.data(), quoted.data(), compared);
  std::memset(bits.data(), 0xff, compared);
  std::memcpy(start.data(), bytes.data(), sizeof bytes);
  std::memcpy(mask.data(), bits.data(), sizeof bits);
  rest = quoted.substr(compared);
  field = its_field;
  size = static_cast<std::int32_t>(name.size());
}

// The field whose name this token is; kNoField for one that is not wanted, kBadName where its escapes are wrong.
std::int32_t JsonScanner::look_up(JsonFields::Object& object, std::size_t place, std::uint32_t token) {
  const std::string_view name = string_at(token);
  if (has_escapes_ && name.find('\\') != std::string_view::npos) {
    if (!valid_escapes(name)) return kBadName;
    name_.clear();
    append_unescaped(name_, name);
    return JsonFields::find(object, name_);
  }
  const std::int32_t field = JsonFields::find(object, name);
  if (place < kPlacesMax && name.size() <= kNameMax) {
    if (place >= object.expected.size()) object.expected.resize(place + 1);
    object.expected[place].set(name, field);
  }
  return field;
}

// At the token behind the opening brace. The hot loop: the cursor stays in a register, and only what is rare calls on.
bool JsonScanner::walk_object(std::int32_t object, int depth) {
  JsonFields::Object& here = fields_.objects_[static_cast<std::size_t>(object)];
  const char* const json = json_;
  const std::uint32_t* const tokens = tokens_;
  const bool plain_strings = !has_escapes_;
  std::uint32_t at = at_;
  if (json[tokens[at]] == '}') return go_on(at + 1);
  for (std::size_t place = 0;; ++place) {
    const char* const name = json + tokens[at];
    if (at + 2 >= count_ || *name != '"') return unexpected(at);
    const bool as_before = place < here.expected.size() && here.expected[place].matches(name + 1);
    const std::int32_t field = as_before ? here.expected[place].field : look_up(here, place, at);
    if (field == kBadName) return reject("not valid JSON: a wrong escape in a field's name");
    if (json[tokens[at + 1]] != ':') return unexpected(at + 1);
    at += 2;
    const bool wanted = field >= 0 && note(here.fields[static_cast<std::size_t>(field)], tokens[at]);
    const char* const value = json + tokens[at];
    if (!wanted && (*value == '"' ? plain_strings : scalar_end(value) != nullptr)) [[likely]] {
      ++at;
    } else {
      at_ = at;
      const std::int32_t below = wanted ? here.fields[static_cast<std::size_t>(field)].object : -1;
      if (!walk_value(below, depth)) return false;
      at = at_;
    }
    const char next = json[tokens[at]];
    if (next != ',' && next != '}') return unexpected(at);
    ++at;
    if (next == '}') return go_on(at);
  }
}

// Returns whether fields of the value's own object are wanted.
inline bool JsonScanner::note(const JsonFields::Field& field, std::uint32_t offset) {
  for (const std::int32_t wanted : field.wanted) found_[static_cast<std::size_t>(wanted)] = offset;
  if (field.object < 0) [[likely]]
    return false;
  // Of duplicates the last one counts, with all that is in it and all that is not.
  const JsonFields::Object& below = fields_.objects_[static_cast<std::size_t>(field.object)];
  for (const std::int32_t wanted : below.wanted_below) found_[static_cast<std::size_t>(wanted)] = -1;
  return true;
}

// `object`: of the fields that are wanted below, if the value is an object; -1: none.
bool JsonScanner::walk_value(std::int32_t object, int depth) {
  const char first = json_[tokens_[at_]];
  if (first != '{' && first != '[') return check_scalar();
  if (object < 0 || first == '[') return walk_container(depth);
  if (depth >= kDepthMax) return reject("nested deeper than 64 levels");
  ++at_;
  return walk_object(object, depth + 1);
}

// An object or array without wanted fields, with everything in it.
bool JsonScanner::walk_container(int depth) {
  std::uint64_t is_object = 0;  // bit i: the container i levels up from the innermost
  int open = 0;
  for (;;) {
    const char first = json_[tokens_[at_]];
    bool value_done = true;
    if (first == '{' || first == '[') {
      if (depth + open >= kDepthMax) return reject("nested deeper than 64 levels");
      ++open;
      is_object = is_object << 1 | (first == '{' ? 1U : 0U);
      ++at_;
      const char next = json_[tokens_[at_]];
      value_done = next == (first == '{' ? '}' : ']');
    } else if (!check_scalar()) {
      return false;
    }
    while (value_done) {
      const char next = json_[tokens_[at_]];
      if (next == ((is_object & 1) != 0 ? '}' : ']')) {
        ++at_;
        is_object >>= 1;
        if (--open == 0) return true;
        continue;
      }
      if (next != ',') return unexpected(at_);
      ++at_;
      value_done = false;
    }
    if ((is_object & 1) != 0) {
      if (at_ + 2 >= count_ || json_[tokens_[at_]] != '"' || json_[tokens_[at_ + 1]] != ':') return unexpected(at_);
      if (has_escapes_ && !check_string()) return false;
      at_ += has_escapes_ ? 1 : 2;
    }
    if (at_ >= count_) return unexpected(at_);
  }
}

bool JsonScanner::check_scalar() {
  const char* const text = json_ + tokens_[at_];
  if (*text == '"') return check_string();
  return scalar_end(text) != nullptr ? go_on(at_ + 1) : unexpected(at_);
}

bool JsonScanner::check_string() {
  if (has_escapes_ && !valid_escapes(string_at(at_))) return reject("not valid JSON: a wrong escape in a string");
  ++at_;
  return true;
}

inline bool JsonScanner::go_on(std::uint32_t token) {
  at_ = token;
  return true;
}

bool JsonScanner::unexpected(std::uint32_t token) {
  if (token >= count_) return reject("not valid JSON: it ends too early");
  const std::uint32_t offset = tokens_[token];
  return reject("not valid JSON at byte " + std::to_string(offset) + ": unexpected " +
                describe_json(json_ + offset, json_ + size_));
}

bool JsonScanner::reject(std::string why) {
  error_ = std::move(why);
  return false;
}

}  // namespace kappa
