#include "kappa/operators/dead_rows.h"
#include "kappa/operators/row_operators.h"

namespace kappa {

namespace {
class Filter final : public Operator {
 public:
  Filter(const Schema& schema, ExpressionPtr predicate) : schema_(schema), predicate_(std::move(predicate)) {}

  void process(Batch batch, Output& out) override {
    if (batch.rows == 0) return;
    Failures failures;
    const Column passes = predicate_->evaluate(batch, nullptr, failures);
    const FailedRows failed = failures.rows();
    add_dead(failed, schema_, batch, out.dead);
    count_dead(failed, batch, out.counters);
    out.counters.in += batch.rows;
    choose(passes, failed, batch.rows);
    const auto kept = static_cast<std::int64_t>(rows_.size());
    out.counters.out += kept;
    out.counters.filtered += batch.rows - kept - static_cast<std::int64_t>(failed.size());
    if (kept == batch.rows)
      out.batches.push_back(std::move(batch));
    else if (kept > 0)
      out.batches.push_back(take(batch, rows_));
  }

 private:
  void choose(const Column& passes, FailedRows failed, std::int64_t rows) {
    rows_.clear();
    auto next = failed.begin();
    for (std::int64_t row = 0; row < rows; ++row) {
      if (next != failed.end() && next->first == row)
        ++next;
      else if (!passes.is_null(row) && passes.bit(row))
        rows_.push_back(static_cast<std::int32_t>(row));
    }
  }

  Schema schema_;
  ExpressionPtr predicate_;
  std::vector<std::int32_t> rows_;  // of the batch in work, kept to reuse its memory
};
}  // namespace

std::unique_ptr<Operator> make_filter(const Schema& schema, ExpressionPtr predicate) {
  return std::make_unique<Filter>(schema, std::move(predicate));
}

}  // namespace kappa
