// kappa/operators/format/json_scanner.h: checks a whole JSON document and finds the wanted fields in it, without
// building anything.
//
// simdjson's first stage (SIMD) checks UTF-8 and strings' ends and lists where tokens start; our own walk over that
// list checks the grammar of every token, wanted or not, and notes where the wanted values start. Objects of one topic
// look alike, so each place in an object first tries the field that the document before had there; and a flat object
// with the fields of the one before, in ASCII and without escapes, is checked in one pass that needs no list of tokens.
//
// Threads:  belongs to one thread.
// Owns:     the token list; borrows the document, whose memory must be readable 64 bytes past its end.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace kappa {

/// The fields that a decoder wants, as a tree of names.
class JsonFields {
 public:
  /// `paths[i]`: the names that lead to the i-th wanted value; at least one name each.
  explicit JsonFields(const std::vector<std::vector<std::string>>& paths);

 private:
  friend class JsonScanner;
  struct Field {
    std::string name;
    std::vector<std::int32_t> wanted;  // usually one
    std::int32_t object = -1;          // into objects_, where fields of its object are wanted
  };
  struct Expected {
    [[nodiscard]] bool matches(const char* name) const;
    void set(std::string_view name, std::int32_t its_field);

    std::array<std::uint64_t, 2> start{}, mask{~std::uint64_t{0}, 0};  // at first no name's
    std::int32_t field = -1;                                           // into Object::fields; -1: not wanted
    std::int32_t size = 0;                                             // of the name
    std::string rest;                                                  // behind the first 16 bytes
  };
  struct Object {
    std::vector<Field> fields;  // sorted by name
    std::vector<std::int32_t> wanted_below;
    std::vector<Expected> expected;  // what the document before had, by place
  };
  void add(const std::vector<std::string>& path, std::int32_t wanted);
  static std::int32_t find(const Object& object, std::string_view name);

  std::vector<Object> objects_;  // [0]: the root
  std::int32_t wanted_count_ = 0;
};

class JsonScanner {
 public:
  explicit JsonScanner(JsonFields fields);
  ~JsonScanner();
  JsonScanner(const JsonScanner&) = delete;
  JsonScanner& operator=(const JsonScanner&) = delete;

  static constexpr int kDepthMax = 64;

  /// Returns true if `document` is a JSON object; found() is then valid until the next call. Else error() says why not.
  [[nodiscard]] bool scan(std::string_view document);
  /// Where the i-th wanted value starts, as an offset into the document; negative: there is none.
  [[nodiscard]] std::int64_t found(std::size_t i) const { return found_[i]; }
  /// Whether any string of the document has an escape.
  [[nodiscard]] bool has_escapes() const { return has_escapes_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool scan_as_before();
  bool tokenize();
  bool walk_object(std::int32_t object, int depth);
  bool note(const JsonFields::Field& field, std::uint32_t offset);
  std::int32_t look_up(JsonFields::Object& object, std::size_t place, std::uint32_t token);
  bool walk_value(std::int32_t object, int depth);
  bool walk_container(int depth);
  bool check_scalar();
  bool check_string();
  bool go_on(std::uint32_t token);
  [[nodiscard]] std::string_view string_at(std::uint32_t token) const;
  bool unexpected(std::uint32_t token);
  bool reject(std::string why);

  JsonFields fields_;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> tokenizer_;
  std::vector<std::int64_t> found_;
  std::string error_, name_;
  // The document at hand.
  const char* json_ = nullptr;
  std::size_t size_ = 0;
  const std::uint32_t* tokens_ = nullptr;  // offsets of tokens
  std::uint32_t count_ = 0, at_ = 0;       // tokens; the next one
  bool has_escapes_ = false;
  int unlike_ = 0;  // documents for which scan_as_before() is not tried, since one failed
};

}  // namespace kappa
