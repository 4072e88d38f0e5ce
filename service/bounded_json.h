// kappa/service/bounded_json.h: records as nlohmann/json values, for commands that look into them; never on the hot
// path.
//
// Threads:  functions; share nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace kappa {

/// Of a record's JSON, as of the decoder's: dump() and copies of a deeper value would overflow the stack.
inline constexpr int kJsonDepthMax = 64;

/// The document, or a discarded value (is_discarded()) where it is not JSON or nested deeper than kJsonDepthMax.
template <class Json>
[[nodiscard]] Json parse_bounded(std::string_view text) {
  bool too_deep = false;
  const auto watch = [&](int depth, typename Json::parse_event_t, Json&) {
    too_deep |= depth > kJsonDepthMax;
    return !too_deep;
  };
  Json document = Json::parse(text.begin(), text.end(), watch, false);
  return too_deep ? Json(Json::value_t::discarded) : document;
}

}  // namespace kappa
