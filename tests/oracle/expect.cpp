// The pipeline itself: sources, an optional repartition, tasks.
#include <algorithm>
#include <random>
#include <stdexcept>

#include "kappa/tests/oracle/pipeline.h"

namespace oracle {

namespace {
// What one input of a task delivers, and the progress that it has reached at its end.
struct Input {
  std::vector<Row> rows;
  std::int64_t reached = kNever;
};

class Computation {
 public:
  Computation(const Pipeline& pipeline, const std::vector<Record>& records, std::uint64_t reading)
      : pipeline_(pipeline), records_(records), random_(reading) {}

  Expected run();

 private:
  Counts& counts_of(const Row& row) {
    const Record& record = records_[row.record];
    return expected_.counts[{record.topic, record.partition}];
  }
  [[nodiscard]] Place place_of(const Row& row) const {
    const Record& record = records_[row.record];
    return {record.topic, record.partition, record.offset};
  }
  [[nodiscard]] bool passes(const Row& row) const;
  void read_sources();
  void read(const Source& source, std::vector<Input>& partitions);
  void filter(std::vector<Row>& rows);
  template <class Take>
  std::int64_t merge(const std::vector<Input>& inputs, Take take);
  std::vector<Input> upstream_tasks();
  void windows(const std::vector<Input>& inputs, std::int32_t partition);
  void publish(const std::vector<Closed>& closed, std::int32_t partition);
  void check_counts() const;

  const Pipeline& pipeline_;
  const std::vector<Record>& records_;
  std::mt19937_64 random_;
  std::vector<std::vector<Input>> sources_;  // source → partition
  Expected expected_;
};

bool Computation::passes(const Row& row) const {
  if (pipeline_.filter_column < 0) return true;
  const Value& value = row.values[static_cast<std::size_t>(pipeline_.filter_column)];
  if (const auto* number = std::get_if<double>(&value)) return *number >= static_cast<double>(pipeline_.filter_least);
  return !is_null(value) && std::get<std::int64_t>(value) >= pipeline_.filter_least;
}

void Computation::filter(std::vector<Row>& rows) {
  std::vector<Row> kept;
  for (Row& row : rows) {
    if (passes(row)) {
      kept.push_back(std::move(row));
    } else {
      ++counts_of(row).filtered;
    }
  }
  rows = std::move(kept);
}

void Computation::read(const Source& source, std::vector<Input>& partitions) {
  std::map<std::int64_t, std::int64_t> last_offset;
  for (std::size_t r = 0; r < records_.size(); ++r) {
    const Record& record = records_[r];
    if (record.topic != source.topic) continue;
    Input& input = partitions.at(static_cast<std::size_t>(record.partition));
    const auto [last, fresh] = last_offset.emplace(record.partition, record.offset);
    if (!fresh && record.offset <= last->second) throw std::runtime_error("a dump is not in the order of its offsets");
    last->second = record.offset;
    Counts& counts = expected_.counts[{record.topic, record.partition}];
    ++counts.read;
    std::variant<Row, std::string> decoded = decode(pipeline_, source, record);
    if (const auto* cause = std::get_if<std::string>(&decoded)) {
      ++counts.dead;
      expected_.dead.push_back({{record.topic, record.partition, record.offset}, *cause});
      continue;
    }
    Row& row = std::get<Row>(decoded);
    input.reached = std::max(input.reached, row.event_time);
    row.progress = input.reached;
    row.record = r;
    input.rows.push_back(std::move(row));
  }
}

void Computation::read_sources() {
  for (const Source& source : pipeline_.sources) {
    std::vector<Input> partitions(static_cast<std::size_t>(source.partitions));
    for (std::int32_t p = 0; p < source.partitions; ++p) expected_.counts[{source.topic, p}] = {};
    read(source, partitions);
    for (Input& input : partitions) {
      if (pipeline_.ends == Ends::close) input.reached = kForever;
      if (pipeline_.filter_before_merge || pipeline_.sources.size() == 1 || pipeline_.upstream_per_source) {
        filter(input.rows);
      }
    }
    sources_.push_back(std::move(partitions));
  }
}

// Reads the inputs in a drawn order; gives `take` the rows in merged order; returns the least progress at the end.
template <class Take>
std::int64_t Computation::merge(const std::vector<Input>& inputs, Take take) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < inputs.size(); ++i) order.insert(order.end(), inputs[i].rows.size(), i);
  for (std::size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[random_() % k]);
  Merge merge(inputs.size());
  std::vector<std::size_t> at(inputs.size(), 0);
  const auto take_all = [&](const std::vector<Row>& rows) {
    for (const Row& row : rows) take(row);
  };
  for (const std::size_t i : order) {
    Row row = inputs[i].rows[at[i]++];
    row.input = static_cast<int>(i);
    take_all(merge.add(i, std::move(row)));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) take_all(merge.raise_progress(i, inputs[i].reached));
  for (const Row& row : merge.held()) ++counts_of(row).held;
  return merge.least();
}

// What the writers of the repartition deliver: one upstream task per partition, or per partition of each source.
std::vector<Input> Computation::upstream_tasks() {
  std::vector<Input> upstream;
  if (pipeline_.upstream_per_source) {
    for (std::vector<Input>& partitions : sources_) {
      for (Input& input : partitions) upstream.push_back(std::move(input));
    }
    return upstream;
  }
  for (std::size_t p = 0; p < sources_.front().size(); ++p) {
    std::vector<Input> inputs;
    for (const std::vector<Input>& partitions : sources_) inputs.push_back(partitions.at(p));
    Input out;
    out.reached = merge(inputs, [&](const Row& row) { out.rows.push_back(row); });
    filter(out.rows);
    upstream.push_back(std::move(out));
  }
  return upstream;
}

void Computation::publish(const std::vector<Closed>& closed, std::int32_t partition) {
  for (const Closed& window : closed) {
    if (window.event_time < pipeline_.from_us || window.event_time >= pipeline_.to_us) continue;
    expected_.sink.push_back(encode(pipeline_, window, partition));
  }
}

void Computation::windows(const std::vector<Input>& inputs, std::int32_t partition) {
  Windows windows(pipeline_.window);
  const std::int64_t out_of_orderness = pipeline_.window.out_of_orderness_us;
  const std::int64_t least = merge(inputs, [&](const Row& row) {
    if (passes(row)) {
      publish(windows.row(row), partition);
    } else {
      ++counts_of(row).filtered;
      publish(windows.advance(row.progress - out_of_orderness), partition);
    }
  });
  publish(windows.advance(least - out_of_orderness), partition);
  expected_.open_windows += static_cast<std::int64_t>(windows.open());
  for (const Row& row : windows.folded()) ++counts_of(row).processed;
  for (const Row& row : windows.late()) {
    ++counts_of(row).late;
    expected_.late.push_back(place_of(row));
  }
}

void Computation::check_counts() const {
  for (const auto& [partition, c] : expected_.counts) {
    if (c.read != c.processed + c.filtered + c.late + c.dead + c.held) {
      throw std::logic_error("the oracle lost a record of " + partition.first);
    }
  }
}

Expected Computation::run() {
  read_sources();
  if (pipeline_.repartition > 0) {
    const std::vector<Input> upstream = upstream_tasks();
    for (std::int32_t q = 0; q < pipeline_.repartition; ++q) {
      std::vector<Input> inputs;
      for (const Input& from : upstream) {
        Input input;
        input.reached = from.reached;
        for (const Row& row : from.rows) {
          if (place(row.key, pipeline_.repartition) == q) input.rows.push_back(row);
        }
        inputs.push_back(std::move(input));
      }
      windows(inputs, q);
    }
  } else {
    for (std::size_t p = 0; p < sources_.front().size(); ++p) {
      std::vector<Input> inputs;
      for (const std::vector<Input>& partitions : sources_) inputs.push_back(partitions.at(p));
      windows(inputs, static_cast<std::int32_t>(p));
    }
  }
  std::sort(expected_.late.begin(), expected_.late.end());
  std::sort(expected_.dead.begin(), expected_.dead.end());
  check_counts();
  return std::move(expected_);
}
}  // namespace

Expected expect(const Pipeline& pipeline, const std::vector<Record>& records, std::uint64_t reading) {
  for (const Source& source : pipeline.sources) {
    if (!pipeline.upstream_per_source && source.partitions != pipeline.sources.front().partitions) {
      throw std::runtime_error("sources that meet have equal partition counts");
    }
  }
  return Computation(pipeline, records, reading).run();
}

}  // namespace oracle
