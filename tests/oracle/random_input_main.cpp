// kappa_random_input: prints hostile input (random_input.h), the same for the same arguments.
//
//   kappa_random_input [--seed N] [--rows N] [--partitions N] [--topic T] [--keys bigint|text] [--scattered]
//                      [--begin-ms N] [--out-of-orderness-ms N] [--step-ms N] [--documents]
//
// With --documents: one JSON document a line, for `kappa log import T FILE --key k --timestamp ts --partitions N`.
// Else one record a line, as `kappa log read` prints them; some of those values are no JSON at all. --scattered:
// records do not lie where their key would place them.
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "kappa/tests/oracle/random_input.h"

namespace {
using nlohmann::ordered_json;

oracle::RandomInput parse(const std::vector<std::string>& arguments) {
  oracle::RandomInput options;
  const std::map<std::string, std::int64_t*> numbers{{"--rows", &options.rows},
                                                     {"--begin-ms", &options.begin_ms},
                                                     {"--out-of-orderness-ms", &options.out_of_orderness_ms},
                                                     {"--step-ms", &options.step_ms}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--documents") {
      options.documents = true;
    } else if (name == "--scattered") {
      options.key_is_partition_key = false;
    } else if (i + 1 == arguments.size()) {
      throw std::runtime_error("unknown option, or no value after " + name);
    } else if (name == "--seed") {
      options.seed = std::stoull(arguments[++i]);
    } else if (name == "--partitions") {
      options.partitions = std::stoi(arguments[++i]);
    } else if (name == "--topic") {
      options.topic = arguments[++i];
    } else if (name == "--keys") {
      options.text_keys = arguments[++i] == "text";
    } else if (numbers.count(name) > 0) {
      *numbers.at(name) = std::stoll(arguments[++i]);
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }
  return options;
}

ordered_json or_null(const std::optional<std::string>& text) {
  return text ? ordered_json(*text) : ordered_json(nullptr);
}
}  // namespace

int main(int argc, char** argv) {
  try {
    const oracle::RandomInput options = parse(std::vector<std::string>(argv + 1, argv + argc));
    for (const oracle::Record& r : oracle::random_input(options)) {
      if (options.documents) {
        std::cout << *r.value << '\n';
      } else {
        const ordered_json line{{"topic", r.topic},      {"partition", r.partition},
                                {"offset", r.offset},    {"timestamp", r.timestamp_ms},
                                {"key", or_null(r.key)}, {"value", or_null(r.value)}};
        std::cout << line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
      }
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "kappa_random_input: " << error.what() << '\n';
    return 2;
  }
}
