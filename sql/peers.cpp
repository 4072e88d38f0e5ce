#include "kappa/sql/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace kappa::sql {

namespace {
/// PostgreSQL's reserved words: names only in double quotes.
constexpr std::string_view kReservedWords =
    " ALL ANALYSE ANALYZE AND ANY ARRAY AS ASC ASYMMETRIC AUTHORIZATION BINARY BOTH CASE CAST CHECK COLLATE COLUMN "
    "CONSTRAINT CREATE CROSS CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE "
    "DESC DISTINCT DO ELSE END EXCEPT FALSE FETCH FOR FOREIGN FREEZE FROM FULL GRANT GROUP HAVING ILIKE IN INITIALLY "
    "INNER INTERSECT INTO IS JOIN LATERAL LEADING LEFT LIKE LIMIT LOCALTIME LOCALTIMESTAMP NATURAL NOT NULL OFFSET ON "
    "ONLY OR ORDER OUTER OVERLAPS PLACING PRIMARY REFERENCES RETURNING RIGHT SELECT SESSION_USER SIMILAR SOME "
    "SYMMETRIC "
    "TABLE TABLESAMPLE THEN TO TRAILING TRUE UNION UNIQUE USER USING VARIADIC VERBOSE WHEN WHERE WINDOW WITH ";

bool is_reserved(const std::string& word) { return kReservedWords.find(" " + word + " ") != std::string_view::npos; }

/// The tokens around the error; beyond the ends they are empty.
class Around {
 public:
  Around(const std::vector<Token>& tokens, int position) : tokens_(tokens) {
    while (at_ < tokens.size() && tokens[at_].end <= position) ++at_;
  }
  [[nodiscard]] const Token& operator[](int distance) const {
    static const Token none;
    const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(at_) + distance;
    return i < 0 || i >= static_cast<std::ptrdiff_t>(tokens_.size()) ? none : tokens_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] bool is(int distance, std::initializer_list<const char*> texts) const {
    const std::string& text = (*this)[distance].text;
    return std::any_of(texts.begin(), texts.end(), [&](const char* t) { return text == t; });
  }
  [[nodiscard]] bool is_word(int distance) const { return (*this)[distance].kind == Token::Kind::word; }
  [[nodiscard]] bool is_string(int distance) const { return (*this)[distance].kind == Token::Kind::string; }
  /// Is there, going back within the statement, `word`?
  [[nodiscard]] bool behind(const char* word) const {
    for (int d = -1; !(*this)[d].text.empty() || is_string(d); --d) {
      if (is(d, {";"})) return false;
      if (is(d, {word})) return true;
    }
    return false;
  }
  /// Is the error inside CREATE TABLE t ( … ), and not in its WITH?
  [[nodiscard]] bool in_columns() const {
    int depth = 0;
    for (int d = -1; !(*this)[d].text.empty() || is_string(d); --d) {
      if (is(d, {")"})) ++depth;
      if (is(d, {"("}) && --depth < 0) return is(d - 2, {"TABLE"}) || (is(d - 2, {"EXISTS"}) && behind("TABLE"));
    }
    return false;
  }

 private:
  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
};

std::string statement_hint(const Around& t) {
  if (t.is(0, {"STREAM", "SOURCE"}) && t.is(-1, {"CREATE", "REPLACE"}))
    return fmt::format(
        "CREATE {} is CREATE TABLE name (columns…) WITH (topic = '…', format = 'json', event_time = '…', "
        "max_out_of_orderness = '5s')",
        t[0].text);
  if (t.is(0, {"SINK", "CONNECTOR"}) && t.is(-1, {"CREATE", "REPLACE"}))
    return "a topic is written by CREATE MATERIALIZED VIEW name WITH (topic = '…') AS SELECT …, or by INSERT INTO "
           "table "
           "SELECT …";
  if (t.is(0, {"FOR"}) && t.is(-1, {"WATERMARK"}))
    return "watermarks are options of the table: WITH (event_time = 'column', max_out_of_orderness = '5s')";
  if (t.is(0, {"EMIT"}) || (t.is(-1, {"EMIT"}) && t.is(0, {"CHANGES", "FINAL", "ON"})))
    return "remove EMIT …: a window's result is emitted once, when the watermark passes its end";
  if (t.is(-1, {"TUMBLING", "HOPPING", "SESSION"}) && t.behind("WINDOW")) return kWindowHint;
  if (t.is(0, {"TABLE"}) && (t.is(1, {"("}) || t.is(-1, {"(", ","})))
    return "write the input's name without TABLE, and the column without DESCRIPTOR: FROM TUMBLE(input, time_column, "
           "INTERVAL '10 seconds')";
  if (t.is(0, {"INCLUDE"}) && t.behind("CREATE"))
    return "declare a column and take it from the record's metadata: WITH (metadata.column = 'key')";
  if (t.is(0, {"CREATE", "INSERT", "SET"})) return fmt::format("is a ';' missing before {}?", t[0].text);
  return {};
}

std::string column_hint(const Around& t) {
  if (t.is(0, {"UNSIGNED"})) return "bigint is signed with 64 bits; numeric(20,0) holds all unsigned values";
  if (t.is(0, {"METADATA", "HEADER", "HEADERS", "KEY", "PRIMARY"}) && t.in_columns())
    return "columns are fields of the record's value; WITH (metadata.column = 'key') takes one from its key, "
           "'header:NAME', 'topic', 'partition', 'offset' or 'timestamp'";
  if (t.is(0, {"AS"}) && t.in_columns())
    return "computed columns belong into a view: CREATE VIEW name AS SELECT *, … AS column FROM table";
  if (t.is(0, {"ROW", "STRUCT", "MAP", "ARRAY", "<"}) && t.in_columns())
    return "nested fields are columns with a path: WITH (path.column = 'user.id')";
  if (t.is(0, {"`"})) return "names are quoted with double quotes: \"name\"";
  return {};
}

std::string option_hint(const Around& t) {
  if (t.is_string(0) && t.is(-1, {"(", ","}) && t.is(1, {"="}) && t.behind("WITH"))
    return "names of options are not quoted: WITH (topic = 'bids', format = 'json')";
  if (t.is(0, {"-", "."}) && t.is_word(-1) && t.behind("WITH") && !t.behind("SELECT"))
    return "names of options have underscores: max_out_of_orderness = '5s'";
  if (t.is_string(0) && t.is(-1, {"SET"})) return "names of settings are not quoted: SET application.id = '…'";
  if (t.is(0, {"("}) && t.is(-1, {"INTERVAL"}) && t.is(1, {"'"})) return "write INTERVAL '10 seconds'";
  if (t.is_string(-1) && t.is(-2, {"INTERVAL"}) && t.is_word(0)) return "write the unit inside: INTERVAL '10 seconds'";
  if (t[0].kind == Token::Kind::number && t.is(-1, {"INTERVAL", "SIZE"})) return "write INTERVAL '10 seconds'";
  return {};
}

std::string word_hint(const Around& t) {
  if (t.is(0, {"FROM", ")", "WHERE", "GROUP"}) && t.is(-1, {","})) return "is there a comma too many before it?";
  if (!t.is_word(0) || !is_reserved(t[0].text)) return {};
  const bool as_name = t.is(-1, {"(", ",", ".", "SELECT", "BY", "AS"}) || t.in_columns();
  if (!as_name) return {};
  std::string name = t[0].text;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return fmt::format("{} is a reserved word of SQL; as a name it stands in double quotes: \"{}\"", t[0].text, name);
}

std::string lookup(const std::map<std::string, std::string>& hints, const std::string& name) {
  const auto found = hints.find(name);
  return found == hints.end() ? std::string() : found->second;
}
}  // namespace

std::string hint_for_syntax_error(const std::vector<Token>& tokens, int position) {
  const Around around(tokens, position);
  for (const auto& hint : {statement_hint, column_hint, option_hint, word_hint})
    if (std::string found = hint(around); !found.empty()) return found;
  return {};
}

std::string hint_for_type(const std::string& name) {
  static const std::string timestamp = "event times are instants: write timestamptz (microseconds, UTC)";
  static const std::string nested = "nested fields are columns with a path: WITH (path.column = 'user.id')";
  static const std::string small = "write bigint";
  static const std::map<std::string, std::string> hints = {
      {"timestamp", timestamp},
      {"timestamp_ltz", timestamp},
      {"timestamptz", "timestamptz has microseconds always: write it without a precision"},
      {"datetime", timestamp},
      {"date", "write timestamptz; date_trunc('day', x) gives its day in UTC"},
      {"time", "write text, or bigint for a number of microseconds"},
      {"timetz", "write text, or bigint for a number of microseconds"},
      {"string", "write text"},
      {"uuid", "write text"},
      {"bpchar", "write text"},
      {"char", "write text"},
      {"nvarchar", "write text"},
      {"double", "write double precision"},
      {"float32", "write double precision"},
      {"float64", "write double precision"},
      {"decimal", "write numeric(18,2)"},
      {"tinyint", small},
      {"int1", small},
      {"int64", small},
      {"long", small},
      {"serial", small},
      {"bigserial", small},
      {"uint64", "bigint is signed with 64 bits; numeric(20,0) holds all unsigned values"},
      {"bytes", "write bytea"},
      {"blob", "write bytea"},
      {"binary", "write bytea"},
      {"varbinary", "write bytea"},
      {"json", nested},
      {"jsonb", nested},
      {"struct", nested},
      {"row", nested},
      {"map", nested},
      {"bool", "write boolean"},
      {"numeric", "numeric needs its precision and scale: numeric(18,2), at most 38 digits"},
  };
  return lookup(hints, name);
}

std::string hint_for_option(const std::string& name) {
  static const std::string group = "kappa commits positions itself; SET application.id = '…' names the application";
  static const std::string start = "where an application starts is a setting: SET start = 'earliest'";
  static const std::map<std::string, std::string> hints = {
      {"kafka_topic", "write topic = '…'"},
      {"value_format", "write format = 'json'"},
      {"key_format", "keys are text; partitioned_by = 'column' says which column is the key"},
      {"timestamp", "write event_time = 'column'"},
      {"timestamp_format", "timestamps are RFC 3339 text or integers in timestamp_unit = 'ms'"},
      {"rowtime", "write event_time = 'column'"},
      {"time_attribute", "write event_time = 'column'"},
      {"watermark", "write max_out_of_orderness = '5s'"},
      {"max_lateness", "write max_out_of_orderness = '5s'"},
      {"grace", "write max_out_of_orderness = '5s' at the table"},
      {"allowed_lateness", "it is not available yet; max_out_of_orderness of the table says how long windows wait"},
      {"emit", "results are emitted once, when a window closes"},
      {"connector", "leave it out: tables are topics of the log that bootstrap.servers or log.directory names"},
      {"bootstrap_servers", "it is a setting: SET bootstrap.servers = '…'"},
      {"partitions", "the partitions are the topic's; topics that kappa creates get as many as the stage has tasks"},
      {"replicas", "it is a setting: SET topic.replication.factor = 3"},
      {"key_column", "write partitioned_by = 'column'"},
      {"key_columns", "write key = 'column, column'"},
      {"primary_key", "write key = 'column, column'"},
      {"group_id", group},
      {"scan_startup_mode", start},
      {"offset", start},
  };
  return lookup(hints, name);
}

std::string hint_for_function(const std::string& name) {
  static const std::string window = kWindowHint;
  static const std::map<std::string, std::string> hints = {
      {"tumble", window},
      {"tumbling", window},
      {"tumble_start", "the window's start is the column window_start"},
      {"tumble_end", "the window's end is the column window_end"},
      {"hop", window},
      {"windowstart", "the window's start is the column window_start"},
      {"windowend", "the window's end is the column window_end"},
      {"proctime", "there is no processing time: a pipeline's results depend on its log alone"},
      {"from_unixtime", "declare the column as timestamptz: integers are read in timestamp_unit"},
      {"to_timestamp_ltz", "declare the column as timestamptz: integers are read in timestamp_unit"},
      {"unix_timestamp", "extract(epoch FROM x) gives seconds since 1970"},
      {"ifnull", "write coalesce(a, b)"},
      {"nvl", "write coalesce(a, b)"},
      {"if", "write CASE WHEN … THEN … ELSE … END"},
      {"len", "write length(x)"},
      {"ucase", "write upper(x)"},
      {"lcase", "write lower(x)"},
      {"instr", "write position(a IN b)"},
      {"regexp", "write LIKE, or a function of docs/SQL.md"},
  };
  return lookup(hints, name);
}

}  // namespace kappa::sql
