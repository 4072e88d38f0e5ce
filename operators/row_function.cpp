#include "kappa/operators/row_function.h"

#include <fmt/format.h>

#include "kappa/operators/dead_rows.h"

namespace kappa {

namespace {
/// "in the record at offset 7" as far as a row still knows where it came from.
std::string place_of(const Batch& batch, std::int64_t row) {
  if (batch.inputs()[row] == kDueInput) return "in a result of an aggregate";
  if (batch.upstream_keys.size() > 0 && !batch.upstream_keys.is_null(row)) return "in a repartitioned record";
  return fmt::format("in the record at offset {}", batch.positions()[row]);
}

/// What filter and map share: the call, its failures, the counters.
class RowOperator : public Operator {
 public:
  RowOperator(std::string node, const Schema& input, RowFunction function)
      : node_(std::move(node)), input_(input), function_(std::move(function)) {}

  void process(Batch batch, Output& out) final {
    if (batch.rows == 0) return;
    results.failed.clear();
    results.kept.clear();
    for (ColumnWriter& column : results.columns) column.start(batch.rows);
    call(batch);
    add_dead(results.failed, input_, batch, out.dead);
    count_dead(results.failed, batch, out.counters);
    out.counters.in += batch.rows;
    const std::int64_t rows = batch.rows;
    Batch made = finish(std::move(batch));
    out.counters.out += made.rows;
    out.counters.filtered += rows - made.rows - static_cast<std::int64_t>(results.failed.size());
    if (made.rows > 0) out.batches.push_back(std::move(made));
  }

 protected:
  virtual Batch finish(Batch batch) = 0;
  RowResults results;  // of the batch in work, kept to reuse its memory

 private:
  void call(const Batch& batch) {
    const auto failure = [&](const char* what) {
      fail(fmt::format("node \"{}\": its function threw {}: {}", node_, place_of(batch, results.row), what));
    };
    try {
      function_(batch, results);
    } catch (const std::exception& error) {
      failure(error.what());
    } catch (...) {
      failure("something that is no std::exception");
    }
  }

  std::string node_;
  Schema input_;
  RowFunction function_;
};

class RowFilter final : public RowOperator {
 public:
  using RowOperator::RowOperator;

 protected:
  Batch finish(Batch batch) override {
    if (static_cast<std::int64_t>(results.kept.size()) == batch.rows) return batch;
    return take(batch, results.kept);
  }
};

class RowMap final : public RowOperator {
 public:
  RowMap(std::string node, const Schema& input, const Schema& output, RowFunction function)
      : RowOperator(std::move(node), input, std::move(function)) {
    for (const Field& field : output.fields()) results.columns.emplace_back(field.type);
  }

 protected:
  Batch finish(Batch batch) override {
    std::vector<Column> columns;
    for (ColumnWriter& column : results.columns) columns.push_back(column.finish(batch.rows));
    return without(results.failed, with_columns(batch, std::move(columns)));
  }
};
}  // namespace

void RowResults::reject(const char* field, const char* what) {
  failed.emplace_back(row, fmt::format("field {} {}", field, what));
}

std::unique_ptr<Operator> make_row_filter(std::string node, const Schema& input, RowFunction function) {
  return std::make_unique<RowFilter>(std::move(node), input, std::move(function));
}

std::unique_ptr<Operator> make_row_map(std::string node, const Schema& input, const Schema& output,
                                       RowFunction function) {
  return std::make_unique<RowMap>(std::move(node), input, output, std::move(function));
}

}  // namespace kappa
