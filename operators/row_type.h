// kappa/operators/row_type.h: a user's struct as a row: KAPPA_ROW names its fields, their C++ types give the columns.
//
//   bool → boolean                                  std::string_view, std::string → text
//   integers of up to 64 bits → bigint              kappa::Timestamp → timestamptz
//   double → double precision                       kappa::Int128 → numeric(38,0): what sum() of integers gives
//   std::optional of these → may be null; every other field is NOT NULL
//
// Example:  struct Bid { std::int64_t auction, bidder, price; kappa::Timestamp at; };
//           KAPPA_ROW(Bid, auction, bidder, price, at)
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "kappa/engine/error.h"
#include "kappa/engine/schema.h"
#include "kappa/operators/field_codec.h"

/// Once per struct, after it and in its namespace; 1 to 32 fields, in the order that columns have.
#define KAPPA_ROW(Row, ...)                                                                     \
  [[maybe_unused]] constexpr auto kappa_row_fields(const Row*) {                                \
    auto fields = std::tuple{KAPPA_DETAIL_EXPAND(KAPPA_DETAIL_FIELD(Row, __VA_ARGS__))};        \
    static_assert(std::tuple_size_v<decltype(fields)> <= 32, "KAPPA_ROW takes 1 to 32 fields"); \
    return fields;                                                                              \
  }

// A macro cannot call itself, but its expansion can be scanned again: 64 scans are enough for 64 fields.
#define KAPPA_DETAIL_FIELD(Row, field, ...)     \
  ::kappa::RowField<Row, decltype(Row::field)>{ \
      #field, &Row::field} __VA_OPT__(, KAPPA_DETAIL_FIELD_AGAIN KAPPA_DETAIL_PARENTHESES(Row, __VA_ARGS__))
#define KAPPA_DETAIL_FIELD_AGAIN() KAPPA_DETAIL_FIELD
#define KAPPA_DETAIL_PARENTHESES ()
#define KAPPA_DETAIL_EXPAND(...) \
  KAPPA_DETAIL_SCAN3(KAPPA_DETAIL_SCAN3(KAPPA_DETAIL_SCAN3(KAPPA_DETAIL_SCAN3(__VA_ARGS__))))
#define KAPPA_DETAIL_SCAN3(...) \
  KAPPA_DETAIL_SCAN2(KAPPA_DETAIL_SCAN2(KAPPA_DETAIL_SCAN2(KAPPA_DETAIL_SCAN2(__VA_ARGS__))))
#define KAPPA_DETAIL_SCAN2(...) \
  KAPPA_DETAIL_SCAN1(KAPPA_DETAIL_SCAN1(KAPPA_DETAIL_SCAN1(KAPPA_DETAIL_SCAN1(__VA_ARGS__))))
#define KAPPA_DETAIL_SCAN1(...) __VA_ARGS__

namespace kappa {

template <class Row, class Value>
struct RowField {
  using value_type = Value;
  const char* name;
  Value Row::*member;
};

/// Structs that KAPPA_ROW describes.
template <class T>
concept RowType = requires {
  kappa_row_fields(static_cast<const T*>(nullptr));
};

template <RowType T>
[[nodiscard]] constexpr auto row_fields() {
  return kappa_row_fields(static_cast<const T*>(nullptr));
}

/// The columns that rows of this struct have.
template <RowType T>
[[nodiscard]] Schema row_schema() {
  return std::apply(
      [](const auto&... field) {
        return Schema({Field{field.name, detail::codec_of(field).type(), detail::codec_of(field).kNullable}...});
      },
      row_fields<T>());
}

/// The column of a member; Error{usage} where KAPPA_ROW does not name it.
template <RowType T, class Value>
[[nodiscard]] std::string column_name(Value T::*member) {
  const char* found = nullptr;
  const auto look = [&](const auto& field) {
    if constexpr (std::same_as<decltype(field.member), Value T::*>)
      if (field.member == member) found = field.name;
  };
  std::apply([&](const auto&... field) { (look(field), ...); }, row_fields<T>());
  if (found == nullptr) usage_error("a member is used as a column, but its struct's KAPPA_ROW does not name it");
  return found;
}

}  // namespace kappa
