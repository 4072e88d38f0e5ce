// kappa/operators/row_function.h: the operators behind filter() and map() of the typed skin: a user's function over the
// rows of a batch. Not generic: the templates that know the user's struct (row_loop.h) hide in a RowFunction, which is
// called once per batch.
//
// Threads:  an operator belongs to one task and has a copy of the function to itself.
// Errors:   an exception out of the function ends the task: Error{failed} naming node and record.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kappa/engine/operator.h"
#include "kappa/operators/format/column_writer.h"

namespace kappa {

/// What a function leaves of one batch.
struct RowResults {
  std::int64_t row = 0;  // in work
  std::vector<std::pair<std::int64_t, std::string>> failed;
  std::vector<std::int32_t> kept;     // filter: rows that go on
  std::vector<ColumnWriter> columns;  // map: one value, or a null, for each row of the batch

  /// The row in work is a dead letter: "field price is null".
  void reject(const char* field, const char* what);
};
using RowFunction = std::function<void(const Batch&, RowResults&)>;

/// `input`: of the rows that come in, for dead letters.
[[nodiscard]] std::unique_ptr<Operator> make_row_filter(std::string node, const Schema& input, RowFunction function);
[[nodiscard]] std::unique_ptr<Operator> make_row_map(std::string node, const Schema& input, const Schema& output,
                                                     RowFunction function);

}  // namespace kappa
