// kappa/service/context.h: what the commands share: settings, pipeline, log, state, signals, output.
//
// Threads:  one; stop_token() may be handed to others.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "kappa/engine/log/kafka/kafka_log.h"
#include "kappa/engine/log/local/local_log.h"
#include "kappa/replay/catalog.h"
#include "kappa/service/instance.h"
#include "kappa/service/settings.h"
#include "kappa/service/topic_check.h"
#include "kappa/state/rocksdb_store.h"

namespace kappa {

/// Options that every command takes.
struct CommonOptions {
  std::vector<std::string> sets;  // name=value
  std::string config;             // --config
  std::string pipeline;           // a file; empty in a user's own program
  bool json = false;              // --output json
};

class CommandContext {
 public:
  /// `own` is the graph of a user's own program, or null.
  CommandContext(const CommonOptions& options, const Graph* own);

  [[nodiscard]] bool json() const { return json_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] bool has_graph() const { return graph_.has_value(); }
  /// Errors with Error{usage} where the command has no pipeline.
  [[nodiscard]] const Graph& graph() const;
  /// As graph(), and application.id must be set.
  [[nodiscard]] const Graph& application() const;
  /// Kafka's with bootstrap.servers, else the embedded one, whose directory `create` makes.
  [[nodiscard]] Log& log(bool create);
  /// There is one to look into: brokers, or a directory.
  [[nodiscard]] bool has_log() const;
  /// To look at the settings of Kafka's topics; the embedded log's have none. Tells once where that is not allowed.
  [[nodiscard]] TopicCheck topic_check(const Topology& topology);
  /// Null with bootstrap.servers.
  [[nodiscard]] LocalLog* local_log(bool create);
  [[nodiscard]] Catalog catalog() const;
  /// Of live, or of the run `run`, which may borrow live's checkpoints. Nothing is made or locked before the first task
  /// is opened, so that a run that is refused leaves nothing behind.
  [[nodiscard]] std::unique_ptr<StateStore> state(const std::string& run, bool borrow_live) const;
  /// The place of this process among those of the application.
  [[nodiscard]] Instance instance() const;
  /// Of an instance of live; it may restore what the others have left.
  [[nodiscard]] std::unique_ptr<StateStore> state(const Instance& instance) const;
  /// To look at live's checkpoints while live runs; null where there are none. It writes outside state.directory.
  [[nodiscard]] std::unique_ptr<StateStore> look_at_state() const;
  /// Where live's checkpoints lie, those of all instances.
  [[nodiscard]] std::vector<std::filesystem::path> checkpoints_directories() const;
  /// A line for people, on standard error.
  void tell(const std::string& line) const;

 private:
  void load_settings(const CommonOptions& options);
  void choose_message_format(const Settings& settings) const;
  [[nodiscard]] std::unique_ptr<KafkaLog> open_kafka() const;
  [[nodiscard]] StateStoreOptions store_options(const std::string& directory) const;
  [[nodiscard]] std::vector<std::filesystem::path> checkpoints_of_others(const std::string& own) const;

  bool json_;
  Settings settings_;
  std::optional<Graph> graph_;
  std::unique_ptr<LocalLog> local_log_;
  std::unique_ptr<KafkaLog> kafka_log_;
};

/// A topic that must exist; refused with the nearest name.
[[nodiscard]] TopicInfo topic_named(Log& log, const std::string& name);

/// Asked to stop by SIGINT or SIGTERM since install_signals(); the second signal ends the process.
void install_signals();
[[nodiscard]] std::stop_token signal_stop();
/// 130 or 143, or 0 where no signal came.
[[nodiscard]] int signal_exit_code();

/// A redrawn line of progress on standard error where that is a terminal; nothing elsewhere.
void show_progress(const std::string& line);
void end_progress();

/// Columns padded to their widest cell.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace kappa
