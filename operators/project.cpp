#include "kappa/operators/dead_rows.h"
#include "kappa/operators/row_operators.h"

namespace kappa {

namespace {
class Project final : public Operator {
 public:
  Project(const Schema& schema, std::vector<ExpressionPtr> columns) : schema_(schema), columns_(std::move(columns)) {}

  void process(Batch batch, Output& out) override {
    if (batch.rows == 0) return;
    Failures failures;
    std::vector<Column> columns;
    columns.reserve(columns_.size());
    for (const ExpressionPtr& column : columns_) columns.push_back(column->evaluate(batch, nullptr, failures));
    const FailedRows failed = failures.rows();
    add_dead(failed, schema_, batch, out.dead);
    count_dead(failed, batch, out.counters);
    out.counters.in += batch.rows;
    Batch result = without(failed, with_columns(batch, std::move(columns)));
    out.counters.out += result.rows;
    if (result.rows > 0) out.batches.push_back(std::move(result));
  }

 private:
  Schema schema_;
  std::vector<ExpressionPtr> columns_;
};
}  // namespace

std::unique_ptr<Operator> make_project(const Schema& schema, std::vector<ExpressionPtr> columns) {
  return std::make_unique<Project>(schema, std::move(columns));
}

}  // namespace kappa
