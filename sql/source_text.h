// kappa/sql/source_text.h: a pipeline's text, and errors that point into it.
//
// Threads:  immutable.
// Errors:   error() throws Error{usage}; positions are byte offsets, as PostgreSQL's parser gives them.
#pragma once

#include <string>
#include <utility>

#include "kappa/engine/error.h"

namespace kappa::sql {

/// An Error whose message has its place already.
class PlacedError : public Error {
 public:
  explicit PlacedError(const std::string& message) : Error(ErrorKind::usage, message) {}
};

class SourceText {
 public:
  SourceText(std::string text, std::string file) : text_(std::move(text)), file_(std::move(file)) {}

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  /// "file:line:column: message", the line, a caret and the hint. A negative position stands for the text as a whole.
  [[nodiscard]] std::string report(int position, const std::string& message, const std::string& hint = {}) const;
  [[noreturn]] void error(int position, const std::string& message, const std::string& hint = {}) const {
    throw PlacedError(report(position, message, hint));
  }
  /// The byte offset of code point `character` (from 0).
  [[nodiscard]] int byte_of_character(int character) const;

  /// Runs `what`; an Error{usage} that it throws gets this position, unless it has one.
  template <typename What>
  auto located(int position, What what) const -> decltype(what()) {
    try {
      return what();
    } catch (const PlacedError&) {
      throw;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::usage) throw;
      const std::string message = e.what();  // "what is wrong; what to do"
      const std::size_t cut = message.find("; ");
      if (cut == std::string::npos) error(position, message);
      error(position, message.substr(0, cut), message.substr(cut + 2));
    }
  }

 private:
  std::string text_;
  std::string file_;
};

}  // namespace kappa::sql
