// kappa/operators/row_loop.h: the loops between a batch and a user's function: the only code that is compiled anew for
// each struct and lambda. A row's struct is built in place, without an allocation unless a std::string outgrows itself.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "kappa/operators/row_function.h"
#include "kappa/operators/row_type.h"

namespace kappa::detail {

template <class T, std::size_t... I>
bool read_row(const Batch& batch, RowResults& results, T& out, std::index_sequence<I...>) {
  constexpr auto kFields = row_fields<T>();
  const auto read = [&](const auto& field, std::size_t column) {
    const char* why = codec_of(field).read(batch.columns[column], results.row, out.*field.member);
    if (why != nullptr) [[unlikely]]
      results.reject(field.name, why);
    return why == nullptr;
  };
  return (read(std::get<I>(kFields), I) && ...);
}

template <class T, std::size_t... I>
bool write_row(RowResults& results, const T& row, std::index_sequence<I...>) {
  constexpr auto kFields = row_fields<T>();
  const auto write = [&](const auto& field, std::size_t column) {
    const char* why = codec_of(field).write(results.columns[column], results.row, row.*field.member);
    if (why != nullptr) [[unlikely]]
      results.reject(field.name, why);
    return why == nullptr;
  };
  return (write(std::get<I>(kFields), I) && ...);
}

template <class T>
using FieldIndexes = std::make_index_sequence<std::tuple_size_v<decltype(row_fields<T>())>>;

template <class T, class F>
RowFunction filter_rows(F function) {
  return [function = std::move(function)](const Batch& batch, RowResults& results) {
    T row{};
    for (results.row = 0; results.row < batch.rows; ++results.row)
      if (read_row(batch, results, row, FieldIndexes<T>()) && function(std::as_const(row)))
        results.kept.push_back(static_cast<std::int32_t>(results.row));
  };
}

template <class T, class U, class F>
RowFunction map_rows(F function) {
  return [function = std::move(function)](const Batch& batch, RowResults& results) {
    T row{};
    for (results.row = 0; results.row < batch.rows; ++results.row) {
      if (read_row(batch, results, row, FieldIndexes<T>()) &&
          write_row(results, static_cast<const U&>(function(std::as_const(row))), FieldIndexes<U>()))
        continue;
      for (ColumnWriter& column : results.columns) column.set_null(results.row);
    }
  };
}

/// Says in plain words what is wrong with a function; true where nothing is.
template <class T, class F>
constexpr bool check_function() {
  static_assert(std::is_copy_constructible_v<F>, "the function is copied into every task, so it must be copyable");
  static_assert(std::is_invocable_v<const F&, const T&>,
                "filter and map take a function of (const T&), T being the struct of the stream; it keeps nothing from "
                "row to row, so a mutable lambda will not do");
  return std::is_copy_constructible_v<F> && std::is_invocable_v<const F&, const T&>;
}

}  // namespace kappa::detail
