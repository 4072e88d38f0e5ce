#include "kappa/operators/tumble.h"

#include <algorithm>

#include "kappa/engine/kill_point.h"
#include "kappa/operators/dead_rows.h"
#include "kappa/operators/spans.h"
#include "kappa/operators/state_key.h"
#include "kappa/operators/window_state.h"

namespace kappa {

namespace {
bool is_fixed_key(const Schema& input, const std::vector<int>& keys) {
  if (keys.size() != 1) return false;
  const TypeKind kind = input[keys[0]].type.kind;
  return kind == TypeKind::bigint || kind == TypeKind::timestamptz;
}

Column constant_column(std::int64_t value, std::int64_t rows) {
  Buffer values = Buffer::allocate(static_cast<std::size_t>(rows) * 8);
  std::fill_n(values.as_mutable<std::int64_t>(), rows, value);
  return {Type::timestamptz(), rows, std::move(values)};
}

constexpr std::size_t kPartsSearched = 8;  // windows that the rows of a span are sorted into at a time
constexpr std::size_t kAhead = 16;         // sorted groups lie anywhere in memory
constexpr std::size_t kTile = 256;         // rows whose groups stay in the nearest cache through all updates
constexpr std::size_t kCompleteFrom = 2;   // a checkpoint is complete if one in so many entries is dirty
}  // namespace

TumblePlan::TumblePlan(Schema input_schema, Schema output_schema, std::int64_t size, std::vector<int> keys,
                       const std::vector<AggregateCall>& calls)
    : input(std::move(input_schema)),
      output(std::move(output_schema)),
      size_us(size),
      key_columns(std::move(keys)),
      layout(input, calls, is_fixed_key(input, key_columns)) {
  for (const int column : key_columns) key_types.push_back(input[column].type);
}

Tumble::Tumble(std::shared_ptr<const TumblePlan> plan, OperatorContext context)
    : plan_(std::move(plan)), context_(std::move(context)), pool_(plan_->layout.stride()) {}

void Tumble::process(Batch batch, Output& out) {
  if (batch.rows == 0) return;
  out.counters.in += batch.rows;
  find_ends(batch, out);
  struct Spans {
    Tumble& self;
    const Batch& batch;
    Output& out;
    [[nodiscard]] std::int64_t next_due() const {
      return self.windows_.empty() ? kForever : self.windows_.begin()->first;
    }
    void fire(std::int64_t watermark) { self.fire(watermark, out); }
    void fold(std::int64_t begin, std::int64_t end) { self.fold(batch, begin, end); }
  };
  const auto rows = static_cast<std::size_t>(batch.rows);
  for_each_span({batch.progresses(), rows}, context_.out_of_orderness_us, ends_, Spans{*this, batch, out});
}

void Tumble::advance(std::int64_t progress, Output& out) { fire(progress - context_.out_of_orderness_us, out); }

bool Tumble::find_common_end(const Batch& batch) {
  const auto [least, greatest] = std::minmax_element(batch.event_times(), batch.event_times() + batch.rows);
  const std::int64_t end = *least - *least % plan_->size_us + plan_->size_us;
  if (*greatest >= end || end <= batch.progresses()[batch.rows - 1] - context_.out_of_orderness_us) return false;
  ends_.assign(static_cast<std::size_t>(batch.rows), end);
  for (auto row = static_cast<std::int32_t>(all_rows_.size()); row < batch.rows; ++row) all_rows_.push_back(row);
  return true;
}

void Tumble::find_ends(const Batch& batch, Output& out) {
  one_window_ = find_common_end(batch);
  if (one_window_) {
    out.counters.folded += batch.rows;
    return;
  }
  ends_.resize(static_cast<std::size_t>(batch.rows));
  const std::int64_t size = plan_->size_us;
  const std::int64_t* times = batch.event_times();
  std::int64_t end = times[0] - times[0] % size + size;  // divided anew only where the window changes
  std::int64_t late = 0;
  const bool of_last = KAPPA_FAULT("late.progress-of-batch");
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    if (times[row] >= end || times[row] < end - size) end = times[row] - times[row] % size + size;
    const bool is_late = end <= batch.progresses()[of_last ? batch.rows - 1 : row] - context_.out_of_orderness_us;
    ends_[static_cast<std::size_t>(row)] = is_late ? kForever : end;
    late += is_late ? 1 : 0;
  }
  out.counters.late += late;
  out.counters.folded += batch.rows - late;
  if (late == 0) return;
  for (std::int64_t row = 0; row < batch.rows; ++row)
    if (ends_[static_cast<std::size_t>(row)] == kForever)
      out.late.push_back(side_record(plan_->input, batch, row, "late: its window is closed"));
}

Tumble::Part& Tumble::part_of(std::int64_t end) {
  for (std::size_t k = parts_used_; k-- > 0;)
    if (parts_[k].end == end) return parts_[k];
  if (parts_used_ == parts_.size()) parts_.emplace_back();
  Part& part = parts_[parts_used_++];
  part.end = end;
  part.rows.clear();
  return part;
}

void Tumble::fold(const Batch& batch, std::int64_t begin, std::int64_t end) {
  if (one_window_) {
    const std::span<const std::int32_t> all(all_rows_);
    return fold_window(batch, ends_.front(),
                       all.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  }
  parts_used_ = 0;
  Part* part = nullptr;
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t due = ends_[static_cast<std::size_t>(row)];
    if (due == kForever) continue;
    if (part == nullptr || part->end != due) {
      if (parts_used_ >= kPartsSearched) {
        for (std::size_t k = 0; k < parts_used_; ++k) fold_window(batch, parts_[k].end, parts_[k].rows);
        parts_used_ = 0;
      }
      part = &part_of(due);
    }
    part->rows.push_back(static_cast<std::int32_t>(row));
  }
  for (std::size_t k = 0; k < parts_used_; ++k) fold_window(batch, parts_[k].end, parts_[k].rows);
}

Tumble::Window& Tumble::window(std::int64_t end) {
  Window& window = windows_[end];
  if (!window.table) window.table = std::make_unique<WindowTable>(plan_->layout, pool_);
  return window;
}

void Tumble::fold_window(const Batch& batch, std::int64_t end, std::span<const std::int32_t> rows) {
  WindowTable& table = *window(end).table;
  for (std::size_t at = 0; at < rows.size(); at += kTile) {
    const auto tile = rows.subspan(at, std::min(kTile, rows.size() - at));
    groups_.resize(tile.size());
    resolve(batch, tile, table);
    for (std::size_t call = 0; call < plan_->layout.accumulators().size(); ++call) update_one(batch, tile, table, call);
  }
}

void Tumble::resolve(const Batch& batch, std::span<const std::int32_t> rows, WindowTable& table) {
  if (plan_->layout.fixed_key())
    return table.resolve(batch.columns[static_cast<std::size_t>(plan_->key_columns[0])], rows, groups_.data());
  key_bytes_.clear();
  key_ends_.clear();
  for (const std::int32_t row : rows) {
    for (const int column : plan_->key_columns)
      append_state_key(key_bytes_, batch.columns[static_cast<std::size_t>(column)], row);
    key_ends_.push_back(key_bytes_.size());
  }
  keys_.clear();
  std::size_t begin = 0;
  for (const std::size_t end : key_ends_) {
    keys_.emplace_back(key_bytes_.data() + begin, end - begin);
    begin = end;
  }
  table.resolve(keys_, groups_.data());
}

void Tumble::update_one(const Batch& batch, std::span<const std::int32_t> rows, WindowTable& table, std::size_t call) {
  const Accumulator& a = plan_->layout.accumulators()[call];
  const Column* argument = a.argument < 0 ? nullptr : &batch.columns[static_cast<std::size_t>(a.argument)];
  const Column* filter = a.filter < 0 ? nullptr : &batch.columns[static_cast<std::size_t>(a.filter)];
  std::span<const GroupRow> groups = groups_;
  if (filter != nullptr || (argument != nullptr && argument->may_have_nulls())) {
    chosen_rows_.clear();
    chosen_groups_.clear();
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (filter != nullptr && (filter->is_null(rows[k]) || !filter->bit(rows[k]))) continue;
      if (argument != nullptr && argument->is_null(rows[k])) continue;
      chosen_rows_.push_back(rows[k]);
      chosen_groups_.push_back(groups_[k]);
    }
    rows = chosen_rows_;
    groups = chosen_groups_;
  }
  if (a.kind != AccumulatorKind::distinct) return update(a, groups, rows.data(), argument, table.arena());
  for (std::size_t k = 0; k < rows.size(); ++k) {
    key_bytes_.clear();
    append_state_key(key_bytes_, *argument, rows[k]);
    const auto number = load<std::uint32_t>(groups[k] + GroupLayout::kNumber);
    if (table.distinct()[call]->insert(number, key_bytes_, table.arena()))
      store(groups[k] + a.offset, load<std::int64_t>(groups[k] + a.offset) + 1);
  }
}

void Tumble::fire(std::int64_t watermark, Output& out) {
  while (!windows_.empty() && windows_.begin()->first <= watermark) {
    const auto first = windows_.begin();
    close(first->first, *first->second.table, out);
    erase_ |= first->second.in_checkpoint;
    if (first->second.in_checkpoint) erase_end_ = first->first;
    windows_.erase(first);
  }
}

void Tumble::close(std::int64_t end, const WindowTable& table, Output& out) {
  std::vector<OrderedGroup> groups(table.size());
  for (std::uint32_t k = 0; k < table.size(); ++k) groups[k].row = table.group(k);
  sort_groups(groups, plan_->layout.fixed_key());
  const auto step = static_cast<std::size_t>(std::max<std::int64_t>(1, context_.batch_rows));
  for (std::size_t at = 0; at < groups.size(); at += step)
    emit(end, std::span(groups).subspan(at, std::min(step, groups.size() - at)), static_cast<std::int64_t>(at), out);
}

Batch Tumble::result_frame(std::int64_t end, std::int64_t rows, std::int64_t first) const {
  Batch batch = make_batch(rows);
  std::fill_n(batch.event_time.as_mutable<std::int64_t>(), rows, end - 1000);
  std::fill_n(batch.progress.as_mutable<std::int64_t>(), rows, end - 1 + context_.out_of_orderness_us);
  std::fill_n(batch.input.as_mutable<std::int32_t>(), rows, kDueInput);
  std::fill_n(batch.position.as_mutable<std::int64_t>(), rows, 0);
  auto* index = batch.index.as_mutable<std::int32_t>();
  for (std::int64_t k = 0; k < rows; ++k) index[k] = static_cast<std::int32_t>(first + k);
  return batch;
}

void Tumble::append_keys(std::span<const OrderedGroup> groups, std::vector<Column>& columns) const {
  std::vector<ColumnBuilder> builders;
  for (const Type type : plan_->key_types) {
    builders.emplace_back(type);
    builders.back().reserve(static_cast<std::int64_t>(groups.size()));
  }
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const OrderedGroup& group = groups[k];
    __builtin_prefetch(groups[std::min(k + kAhead, groups.size() - 1)].row);
    if (!plan_->layout.fixed_key()) {
      std::string_view key = stored_key(group.row);
      for (ColumnBuilder& builder : builders) read_state_key(key, builder);
    } else if ((group.row[GroupLayout::kFlags] & GroupLayout::kNullKey) != 0) {
      builders[0].append_null();
    } else {
      builders[0].append_i64(load<std::int64_t>(group.row));
    }
  }
  for (ColumnBuilder& builder : builders) columns.push_back(builder.finish());
}

void Tumble::emit(std::int64_t end, std::span<const OrderedGroup> groups, std::int64_t first, Output& out) {
  const auto rows = static_cast<std::int64_t>(groups.size());
  Batch batch = result_frame(end, rows, first);
  append_keys(groups, batch.columns);
  batch.columns.push_back(constant_column(end - plan_->size_us, rows));
  batch.columns.push_back(constant_column(end, rows));
  std::map<std::int64_t, std::string> causes;
  for (const Accumulator& a : plan_->layout.accumulators()) batch.columns.push_back(results(a, groups, causes));
  const std::vector<std::pair<std::int64_t, std::string>> failed(causes.begin(), causes.end());
  add_dead(failed, plan_->output, batch, out.dead);
  out.counters.emitted_dead += static_cast<std::int64_t>(failed.size());
  batch = without(failed, batch);
  out.counters.emitted += batch.rows;
  if (batch.rows > 0) out.batches.push_back(std::move(batch));
}

// Then all is written anew, which costs less than merging the dirty entries with the others later.
bool Tumble::is_mostly_dirty() const {
  WindowTable::Entries sum;
  for (const auto& [end, window] : windows_) {
    const WindowTable::Entries entries = window.table->entries();
    sum.all += entries.all;
    sum.dirty += entries.dirty;
  }
  return (erase_ || sum.dirty > 0) && sum.dirty * kCompleteFrom >= sum.all;
}

std::unique_ptr<Frozen> Tumble::freeze() {
  const bool complete = is_mostly_dirty();
  auto frozen = std::make_unique<FrozenWindows>(plan_, complete);
  if (erase_) frozen->erase_through(erase_end_);
  erase_ = false;
  for (auto& [end, window] : windows_) {
    if (!complete && window.table->dirty().empty()) continue;
    frozen->add(end, *window.table);
    window.in_checkpoint = true;
  }
  return frozen;
}

void Tumble::restore(StateReader& entries) {
  std::string_view key, value;
  WindowRestorer restorer(*plan_);
  while (entries.next(key, value)) {
    std::string_view rest = key;
    Window& open = window(read_ordered(rest));
    open.in_checkpoint = true;
    restorer.add(*open.table, rest, value);
  }
}

OpenWindows Tumble::open_windows() const {
  OpenWindows open;
  open.count = static_cast<std::int64_t>(windows_.size());
  if (!windows_.empty()) {
    open.least_end = windows_.begin()->first;
    open.greatest_end = windows_.rbegin()->first;
  }
  return open;
}

std::int64_t Tumble::state_bytes() const {
  std::size_t total = pool_.bytes();
  for (const auto& [end, window] : windows_) total += window.table->bytes();
  return static_cast<std::int64_t>(total);
}

}  // namespace kappa
