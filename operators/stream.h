// kappa/operators/stream.h: pipelines in C++: structs, lambdas and member pointers in place of SQL text. Both spellings
// give the same nodes; docs/CPP.md is the manual.
//
// A name is the first argument of every step: state, metrics and topics are called after it. Streams are values that
// point into their GraphBuilder, which must outlive them; using one twice makes two branches.
//
// Threads:  a GraphBuilder and its streams belong to one thread. The functions are copied into every task, so several
//           threads call copies of one lambda at a time: it must not write to what it captures by reference.
// Errors:   Error{usage} naming the node, when the step is added. A function that throws ends the run: Error{failed}.
// Example:  examples/hot_bidders/hot_bidders.cpp
#pragma once

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kappa/operators/row_loop.h"
#include "kappa/operators/row_type.h"
#include "kappa/operators/stream_end.h"

namespace kappa {

template <class T>
class Stream;

/// One column of results; T is the struct whose member it takes, void for count().
template <class T>
class Aggregate {
 public:
  explicit Aggregate(detail::AggregateSpec spec) : spec_(std::move(spec)) {}
  /// count() goes with every stream.
  template <class U>
  Aggregate(const Aggregate<U>& other) : spec_(other.spec()) {
    static_assert(std::is_void_v<U>, "an aggregate takes a member of the struct of the stream that it is over");
  }
  /// Names the column; without it it is called as the function.
  [[nodiscard]] Aggregate as(std::string name) const {
    Aggregate named = *this;
    named.spec_.name = std::move(name);
    return named;
  }
  [[nodiscard]] const detail::AggregateSpec& spec() const { return spec_; }

 private:
  detail::AggregateSpec spec_;
};

/// Of rows.
[[nodiscard]] inline Aggregate<void> count() { return Aggregate<void>({AggregateFunction::count, "", "count"}); }
/// Of values that are not null.
template <RowType T, class Value>
[[nodiscard]] Aggregate<T> count(Value T::*member) {
  return Aggregate<T>({AggregateFunction::count, column_name(member), "count"});
}
template <RowType T, class Value>
[[nodiscard]] Aggregate<T> sum(Value T::*member) {
  return Aggregate<T>({AggregateFunction::sum, column_name(member), "sum"});
}
template <RowType T, class Value>
[[nodiscard]] Aggregate<T> min(Value T::*member) {
  return Aggregate<T>({AggregateFunction::min, column_name(member), "min"});
}
template <RowType T, class Value>
[[nodiscard]] Aggregate<T> max(Value T::*member) {
  return Aggregate<T>({AggregateFunction::max, column_name(member), "max"});
}
template <RowType T, class Value>
[[nodiscard]] Aggregate<T> avg(Value T::*member) {
  return Aggregate<T>({AggregateFunction::avg, column_name(member), "avg"});
}
template <RowType T, class Value>
[[nodiscard]] Aggregate<T> count_distinct(Value T::*member) {
  return Aggregate<T>({AggregateFunction::count_distinct, column_name(member), "count_distinct"});
}

/// Results of an aggregate: the keys, window_start, window_end, then one column per aggregate.
class Rows {
 public:
  explicit Rows(detail::StreamEnd end) : end_(std::move(end)) {}
  /// Gives the rows a struct, whose fields are checked against the columns; columns without a field are left out.
  template <class T>
  [[nodiscard]] Stream<T> as(const std::string& name) const;
  /// The record key is the group's key and the window's start.
  void sink(const std::string& name, const SinkSettings& settings = {}) const { end_.sink(name, settings); }
  [[nodiscard]] const Schema& schema() const { return end_.schema(); }

 private:
  detail::StreamEnd end_;
};

/// Rows whose key is known, and which lie in one partition with all others of their key.
template <class T>
class KeyedStream {
 public:
  explicit KeyedStream(detail::StreamEnd end) : end_(std::move(end)) {}
  /// Windows [start, start + size), aligned to the epoch, one result per key and window.
  [[nodiscard]] Rows tumble(const std::string& name, std::chrono::microseconds size,
                            const std::vector<Aggregate<T>>& aggregates) const {
    std::vector<detail::AggregateSpec> specs;
    for (const Aggregate<T>& aggregate : aggregates) specs.push_back(aggregate.spec());
    return Rows(end_.tumble(name, size, specs));
  }
  void sink(const std::string& name, const SinkSettings& settings = {}) const { end_.sink(name, settings); }

 private:
  detail::StreamEnd end_;
};

/// Rows that a function sees as `const T&`. Its string_views live as long as the call.
template <class T>
class Stream {
  static_assert(RowType<T>, "describe the struct behind its end: KAPPA_ROW(Type, field, …), in its namespace");
  static_assert(std::is_default_constructible_v<T>, "a row's struct needs a default constructor");

 public:
  explicit Stream(detail::StreamEnd end) : end_(std::move(end)) {}

  /// Rows for which the function is true go on.
  template <class F>
  [[nodiscard]] Stream filter(const std::string& name, F function) const {
    if constexpr (detail::check_function<T, F>())
      static_assert(std::is_same_v<std::invoke_result_t<const F&, const T&>, bool>, "filter's function returns bool");
    return Stream(end_.filter(name, detail::filter_rows<T>(std::move(function))));
  }

  /// One row for each; its event time stays. What the function returns is written before the next call.
  template <class F>
  [[nodiscard]] auto map(const std::string& name, F function) const {
    if constexpr (detail::check_function<T, F>()) {
      using U = std::remove_cvref_t<std::invoke_result_t<const F&, const T&>>;
      static_assert(RowType<U>, "map's function returns a struct that KAPPA_ROW describes");
      return Stream<U>(end_.map(name, row_schema<U>(), detail::map_rows<T, U>(std::move(function))));
    }
  }

  /// Goes into the fingerprint of the filter or map just added, since the body of its function cannot be seen: give it
  /// another number whenever the body changes.
  Stream version(std::int64_t number) const {
    end_.set_version(number);
    return *this;
  }

  /// Rows of both, in the order of their event times as far as it is known.
  [[nodiscard]] Stream union_with(const std::string& name, const Stream& other) const {
    return Stream(end_.union_with(name, other.end_));
  }

  /// Without members all rows are one group.
  template <class... Value>
  [[nodiscard]] KeyedStream<T> key_by(const std::string& name, Value T::*... members) const {
    return KeyedStream<T>(end_.key_by(name, {column_name(members)...}));
  }

  void sink(const std::string& name, const SinkSettings& settings = {}) const { end_.sink(name, settings); }

 private:
  detail::StreamEnd end_;
};

template <class T>
Stream<T> Rows::as(const std::string& name) const {
  static_assert(RowType<T>, "describe the struct behind its end: KAPPA_ROW(Type, field, …), in its namespace");
  return Stream<T>(end_.as(name, row_schema<T>()));
}

class GraphBuilder {
 public:
  /// `name` is the application.id unless a setting says otherwise.
  explicit GraphBuilder(std::string name) : draft_(std::move(name)) {}
  GraphBuilder(const GraphBuilder&) = delete;  // streams point to it
  GraphBuilder& operator=(const GraphBuilder&) = delete;

  template <class T>
  [[nodiscard]] Stream<T> source(const std::string& name, const SourceSettings& settings) {
    static_assert(RowType<T>, "describe the struct behind its end: KAPPA_ROW(Type, field, …), in its namespace");
    return Stream<T>(detail::StreamEnd(draft_, name, settings, row_schema<T>()));
  }
  /// As SET name = 'value' in SQL: the weakest place that a setting comes from.
  void set(const std::string& name, const std::string& value) { draft_.set(name, value); }
  /// Checks the whole: there is a sink, and no step leads nowhere.
  [[nodiscard]] Graph build() && { return std::move(draft_).build(); }

 private:
  GraphDraft draft_;
};

}  // namespace kappa
