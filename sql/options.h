// kappa/sql/options.h: WITH (name = value, …).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kappa/sql/source_text.h"
#include "kappa/sql/tree.h"

namespace kappa::sql {

struct Option {
  std::string name;   // lower case; a namespace stands in front: "path.uid"
  std::string value;  // the string's contents, the number's or keyword's text
  int location = -1;
};

/// The options of one statement. Each is taken at most once; finish() refuses the rest.
class Options {
 public:
  /// `what`: "table \"bids\"", for messages; `known`: the names that exist, for "did you mean".
  Options(const SourceText& source, const Json& list, std::string what, std::vector<std::string> known);

  [[nodiscard]] std::optional<Option> take(const std::string& name);
  [[nodiscard]] std::string take_text(const std::string& name, const std::string& otherwise);
  [[nodiscard]] bool take_flag(const std::string& name);
  [[nodiscard]] std::optional<std::int64_t> take_duration_us(const std::string& name);
  /// Those in a namespace ("path": path.uid), without it.
  [[nodiscard]] std::vector<Option> take_all(const std::string& space);
  void finish() const;

 private:
  const SourceText& source_;
  std::string what_;
  std::vector<std::string> known_;
  std::vector<Option> options_;
};

/// "5s", "12 hours", "1 day" (of 24 hours), "0"; throws for other numbers without unit, months, years, negative ones.
[[nodiscard]] std::int64_t duration_us(const std::string& text);

}  // namespace kappa::sql
