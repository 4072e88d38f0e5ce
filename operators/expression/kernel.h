// kappa/operators/expression/kernel.h: what the kernels behind expressions share (internal to this directory).
//
// A kernel computes a whole column. Fixed-width kernels compute every row, also null and inactive ones, in a loop
// without branches; only if some row reports a fault does a second pass look for the rows that count.
//
// Threads:  pure functions over immutable columns.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "kappa/operators/expression/bits.h"
#include "kappa/operators/expression/expression.h"

namespace kappa::expression {

/// An evaluated argument. A text constant of a strict function has one row only: read text by text(i).
struct Arg {
  Column column;
  bool one_row = false;
  template <class T>
  [[nodiscard]] const T* data() const {
    return column.values().as<T>();
  }
  [[nodiscard]] std::string_view text(std::int64_t i) const { return column.bytes(one_row ? 0 : i); }
};

struct Frame {
  std::span<const Arg> args;
  Type type;  // of the result
  std::int64_t rows = 0;
  RowMask active = nullptr;
  Failures& failures;
  const Expression& self;
};

enum class Fault : std::uint8_t {
  none,
  bigint_range,
  double_range,
  numeric_range,
  timestamp_range,
  interval_range,
  division_by_zero,
  domain,
};
[[nodiscard]] std::string_view cause_of(Fault fault);
[[nodiscard]] inline Fault numeric_fault(bool fits) { return fits ? Fault::none : Fault::numeric_range; }

/// The result of a strict function under construction: null where an argument is null or the row fails.
class Result {
 public:
  explicit Result(const Frame& frame);
  void fail(std::int64_t row, std::string_view cause);
  void fail(std::int64_t row, Fault fault) { fail(row, cause_of(fault)); }
  void set_null(std::int64_t row);
  /// Rows that are active and have no null argument.
  template <class F>
  void for_live(F f) {
    for (std::size_t w = 0; w < word_count(frame_.rows); ++w)
      for_each_bit(word_or_ones(validity_.data(), w) & word_or_ones(frame_.active, w) & row_bits(frame_.rows, w), w, f);
  }
  Column finish(Buffer values, Buffer offsets = {}) {
    return {frame_.type, frame_.rows, std::move(values), std::move(validity_), std::move(offsets)};
  }

 private:
  const Frame& frame_;
  Buffer validity_;
  bool shared_ = true;
  std::string where_;  // " in <expression>", made at the first failure
};

/// Out f(In...) per row, for strict functions that cannot fail.
template <class Out, class... In, class F, std::size_t... K>
Column map_at(const Frame& frame, F f, std::index_sequence<K...>) {
  Result result(frame);
  const std::tuple<const In*...> in{frame.args[K].template data<In>()...};
  if constexpr (std::is_same_v<Out, bool>) {
    return result.finish(pack(frame.rows, [&](std::int64_t i) { return f(std::get<K>(in)[i]...); }));
  } else {
    Buffer values = Buffer::allocate(static_cast<std::size_t>(frame.rows) * sizeof(Out));
    Out* out = values.as_mutable<Out>();
    for (std::int64_t i = 0; i < frame.rows; ++i) out[i] = f(std::get<K>(in)[i]...);
    return result.finish(std::move(values));
  }
}
template <class Out, class... In, class F>
Column map(const Frame& frame, F f) {
  return map_at<Out, In...>(frame, f, std::index_sequence_for<In...>());
}

/// Fault f(Out&, In...) per row; f must be defined for any bits.
template <class Out, class... In, class F, std::size_t... K>
Column checked_at(const Frame& frame, F f, std::index_sequence<K...>) {
  Result result(frame);
  const std::tuple<const In*...> in{frame.args[K].template data<In>()...};
  Buffer values = Buffer::allocate(static_cast<std::size_t>(frame.rows) * sizeof(Out));
  Out* out = values.as_mutable<Out>();
  unsigned faults = 0;
  for (std::int64_t i = 0; i < frame.rows; ++i) faults |= static_cast<unsigned>(f(out[i], std::get<K>(in)[i]...));
  if (faults != 0) {
    result.for_live([&](std::int64_t i) {
      const Fault fault = f(out[i], std::get<K>(in)[i]...);
      if (fault != Fault::none) result.fail(i, fault);
    });
  }
  return result.finish(std::move(values));
}
template <class Out, class... In, class F>
Column checked(const Frame& frame, F f) {
  return checked_at<Out, In...>(frame, f, std::index_sequence_for<In...>());
}

/// Text and bytea results, appended row by row in ascending order; rows left out are empty.
class TextWriter {
 public:
  explicit TextWriter(std::int64_t rows);
  /// Append row `row`'s bytes to what this returns.
  std::string& begin(std::int64_t row);
  /// Takes back what was appended for the current row.
  void undo() { bytes_.resize(static_cast<std::size_t>(offsets_.as<std::int32_t>()[filled_ - 1])); }
  [[nodiscard]] bool full() const { return bytes_.size() > 0x7fff'ffff; }
  /// Values and offsets.
  std::pair<Buffer, Buffer> finish();

 private:
  std::int64_t rows_;
  std::int64_t filled_ = 0;
  Buffer offsets_;
  std::string bytes_;
};

/// cause f(row, std::string& out) per live row; an empty cause is success.
template <class F>
Column text_rows(const Frame& frame, F f) {
  Result result(frame);
  TextWriter writer(frame.rows);
  result.for_live([&](std::int64_t i) {
    std::string_view cause = f(i, writer.begin(i));
    if (writer.full()) cause = "more than 2 GiB of text in one batch";
    if (cause.empty()) return;
    writer.undo();
    result.fail(i, cause);
  });
  auto [values, offsets] = writer.finish();
  return result.finish(std::move(values), std::move(offsets));
}

/// Each row from the part whose mask has its bit (masks do not overlap); rows in none are null.
struct Part {
  Column column;
  Words mask;
};
[[nodiscard]] Column blend(Type type, std::int64_t rows, std::span<const Part> parts);

/// The column with null in every row of `failures`: what is not strict must not turn a failed row into a value.
[[nodiscard]] Column without_failed(Column column, const Failures& failures);

}  // namespace kappa::expression
