#include "kappa/service/context.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <utility>

#include "kappa/engine/error.h"
#include "kappa/engine/schema.h"
#include "kappa/service/messages.h"
#include "kappa/sql/pipeline.h"
#include "kappa/state/rocksdb_store.h"

namespace kappa {

namespace {
std::string file_text(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) usage_error(fmt::format("the pipeline file {} cannot be read", file));
  return {std::istreambuf_iterator<char>(in), {}};
}

void apply_sets(Settings& settings, const std::vector<std::string>& sets) {
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos) usage_error(fmt::format("--set \"{}\" is not name=value", set));
    settings.set(set.substr(0, equals), set.substr(equals + 1), "--set");
  }
}

// Opens the store itself with its first task.
class LazyStore : public StateStore {
 public:
  explicit LazyStore(StateStoreOptions options) : options_(std::move(options)) {}
  std::unique_ptr<TaskState> open(const TaskId& task) override { return store().open(task); }
  std::vector<TaskId> tasks() override { return store().tasks(); }

 private:
  StateStore& store() {
    const std::lock_guard lock(mutex_);
    if (!store_) store_ = open_state_store(options_);
    return *store_;
  }
  std::mutex mutex_;
  StateStoreOptions options_;
  std::unique_ptr<StateStore> store_;
};

// A store in a directory of its own, which it removes.
class ScratchStore : public StateStore {
 public:
  explicit ScratchStore(std::vector<std::filesystem::path> borrowed) {
    directory_ = (std::filesystem::temp_directory_path() / "kappa-plan-XXXXXX").string();
    if (!::mkdtemp(directory_.data())) fail("no directory can be made for " + directory_);
    StateStoreOptions options;
    options.directory = directory_;
    options.borrowed_directories = std::move(borrowed);
    store_ = open_state_store(options);
  }
  ~ScratchStore() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::unique_ptr<TaskState> open(const TaskId& task) override { return store_->open(task); }
  std::vector<TaskId> tasks() override { return store_->tasks(); }

 private:
  std::string directory_;
  std::unique_ptr<StateStore> store_;
};
}  // namespace

CommandContext::CommandContext(const CommonOptions& options, const Graph* own) : json_(options.json) {
  std::vector<std::string> warnings;
  if (own) {
    graph_ = *own;
    if (!options.pipeline.empty()) usage_error("this program is its own pipeline: it takes no PIPELINE argument");
  } else if (!options.pipeline.empty()) {
    // The application.id may come from outside the pipeline, and the graph carries its name: settings first, then the
    // graph.
    Settings outer;
    std::map<std::string, std::string> override_with;
    if (!options.config.empty())
      outer.read_file(options.config);
    else if (std::filesystem::exists("kappa.conf"))
      outer.read_file("kappa.conf");
    outer.read_environment();
    apply_sets(outer, options.sets);
    choose_message_format(outer);
    if (outer.has("application.id")) override_with["application.id"] = outer.text("application.id");
    Pipeline pipeline = parse_pipeline(file_text(options.pipeline), options.pipeline, override_with);
    graph_ = std::move(pipeline.graph);
    warnings = std::move(pipeline.warnings);
  }
  load_settings(options);
  for (const std::string& warning : warnings) tell("warning: " + warning);
  if (own && !settings_.has("application.id")) settings_.set("application.id", own->name(), "the graph's name");
}

void CommandContext::load_settings(const CommonOptions& options) {
  if (graph_)
    for (const auto& [name, value] : graph_->settings())
      settings_.set(name, value, options.pipeline.empty() ? "in the graph" : "SET in " + options.pipeline);
  std::string file = options.config;
  if (file.empty() && std::filesystem::exists("kappa.conf")) file = "./kappa.conf";
  if (!file.empty()) settings_.read_file(options.config.empty() ? "kappa.conf" : file);
  settings_.read_environment();
  apply_sets(settings_, options.sets);
  choose_message_format(settings_);
  if (!file.empty()) tell("settings from " + file);
}

void CommandContext::choose_message_format(const Settings& settings) const {
  const std::string format = settings.text("log.format");
  if (format != "text" && format != "json") settings.reject("log.format", "must be text or json");
  set_message_format({.json = format == "json", .application = settings.text("application.id")});
}

const Graph& CommandContext::graph() const {
  if (!graph_) usage_error("this command needs a PIPELINE");
  return *graph_;
}

const Graph& CommandContext::application() const {
  const Graph& graph = this->graph();
  if (!settings_.has("application.id"))
    usage_error(
        "application.id is missing: positions, state and topics are kept under it. Write SET application.id = 'name'; "
        "in the "
        "pipeline, or give --set application.id=name");
  if (settings_.text("application.id") != graph.name())
    usage_error(fmt::format("application.id \"{}\" differs from the graph's name \"{}\"",
                            settings_.text("application.id"), graph.name()));
  return graph;
}

Log& CommandContext::log(bool create) {
  if (LocalLog* local = local_log(create)) return *local;
  if (!kafka_log_) kafka_log_ = open_kafka();
  return *kafka_log_;
}

std::unique_ptr<KafkaLog> CommandContext::open_kafka() const {
  KafkaLogOptions options;
  options.bootstrap_servers = settings_.text("bootstrap.servers");
  options.connect_timeout = settings_.duration("bootstrap.timeout");
  options.client = settings_.kafka();
  options.replication_factor = static_cast<int>(settings_.integer("topic.replication.factor", -1, 32767));
  if (options.replication_factor == 0)
    settings_.reject("topic.replication.factor", "must be 1 or more, or -1 for the brokers' default");
  options.lock_directory = settings_.text("state.directory");
  options.message = [this](const std::string& line) { tell(line); };
  return open_kafka_log(std::move(options));
}

TopicCheck CommandContext::topic_check(const Topology& topology) {
  static_cast<void>(log(false));
  const auto client = settings_.kafka();
  const auto batch = client.find("batch.size");
  const auto describe = [this, told = false](const std::string& topic) mutable -> std::optional<TopicSettings> {
    if (!kafka_log_ || !kafka_log_->topic(topic)) return std::nullopt;
    std::optional<TopicSettings> settings = kafka_log_->topic_settings(topic);
    if (!settings && !std::exchange(told, true))
      tell(
          fmt::format("warning: the settings of topic \"{}\" cannot be seen (DESCRIBE_CONFIGS is not allowed): whether "
                      "topics keep, compact or restamp records is not checked",
                      topic));
    return settings;
  };
  return {graph(), topology, describe,
          batch == client.end() ? kKafkaBatchBytes : std::strtoll(batch->second.c_str(), nullptr, 10)};
}

bool CommandContext::has_log() const {
  return !settings_.text("bootstrap.servers").empty() || std::filesystem::exists(settings_.text("log.directory"));
}

LocalLog* CommandContext::local_log(bool create) {
  if (!settings_.text("bootstrap.servers").empty()) return nullptr;
  if (local_log_) return local_log_.get();
  LocalLogOptions options;
  options.directory = settings_.text("log.directory");
  options.create = create;
  const std::string sync = settings_.text("log.sync");
  if (sync != "commit" && sync != "never") settings_.reject("log.sync", "must be commit or never");
  options.sync_on_commit = sync == "commit";
  if (!create && !std::filesystem::exists(options.directory))
    refuse(fmt::format(
        "there is no log in {}. `kappa log import` and `kappa generate` make one; log.directory says where it is",
        options.directory.string()));
  local_log_ = open_local_log(options);
  return local_log_.get();
}

Catalog CommandContext::catalog() const { return {settings_.text("state.directory"), graph().name()}; }

StateStoreOptions CommandContext::store_options(const std::string& directory) const {
  StateStoreOptions options;
  options.directory = std::filesystem::path(settings_.text("state.directory")) / directory;
  options.checkpoints_retained = static_cast<int>(settings_.integer("checkpoint.retained", 1, 1000));
  options.history = settings_.text("checkpoint.history");
  if (const std::filesystem::path elsewhere = settings_.text("checkpoint.directory"); !elsewhere.empty())
    options.checkpoint_directory = elsewhere / directory;
  return options;
}

std::unique_ptr<StateStore> CommandContext::state(const std::string& run, bool borrow_live) const {
  StateStoreOptions options = store_options(graph().name() + (run.empty() ? "" : "." + run));
  if (borrow_live) options.borrowed_directories = checkpoints_directories();
  if (run.empty()) options.find_borrowed = [this] { return checkpoints_of_others(graph().name()); };
  return std::make_unique<LazyStore>(std::move(options));
}

Instance CommandContext::instance() const {
  return {settings_.text("state.directory"), graph().name(), settings_.text("instance.id")};
}

// In checkpoint.directory those of other machines lie too, so there the id names the place.
std::unique_ptr<StateStore> CommandContext::state(const Instance& instance) const {
  StateStoreOptions options = store_options(instance.directory());
  std::string own = instance.directory();
  if (!options.checkpoint_directory.empty()) {
    own = graph().name() + "@" + instance.id();
    options.checkpoint_directory = options.checkpoint_directory.parent_path() / own;
  }
  options.find_borrowed = [this, own] { return checkpoints_of_others(own); };
  return std::make_unique<LazyStore>(std::move(options));
}

std::unique_ptr<StateStore> CommandContext::look_at_state() const {
  std::vector<std::filesystem::path> all = checkpoints_directories();
  if (all.empty()) return nullptr;
  return std::make_unique<ScratchStore>(std::move(all));
}

std::vector<std::filesystem::path> CommandContext::checkpoints_directories() const { return checkpoints_of_others(""); }

std::vector<std::filesystem::path> CommandContext::checkpoints_of_others(const std::string& own) const {
  const std::filesystem::path elsewhere = settings_.text("checkpoint.directory");
  if (!elsewhere.empty()) return other_instances(elsewhere, graph().name(), own);
  std::vector<std::filesystem::path> all = other_instances(settings_.text("state.directory"), graph().name(), own);
  for (std::filesystem::path& path : all) path /= "checkpoints";
  std::erase_if(all, [](const std::filesystem::path& path) { return !std::filesystem::exists(path); });
  return all;
}

TopicInfo topic_named(Log& log, const std::string& name) {
  if (const auto info = log.topic(name)) return *info;
  std::vector<std::string> names;
  for (const TopicInfo& info : log.topics()) names.push_back(info.name);
  const std::string nearest = nearest_word(name, names);
  refuse(
      fmt::format("topic \"{}\" does not exist{}", name, nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?"));
}

void CommandContext::tell(const std::string& line) const {
  constexpr std::string_view kWarning = "warning: ";
  if (line.rfind(kWarning, 0) == 0) return kappa::tell(MessageLevel::warning, line.substr(kWarning.size()));
  // What the Kafka client says by itself are its warnings.
  const bool of_client = message_format().json && line.rfind("kafka: ", 0) == 0;
  kappa::tell(of_client ? MessageLevel::warning : MessageLevel::info, line);
}

}  // namespace kappa
