#include "kappa/state/task_state.h"

#include <algorithm>

#include "kappa/engine/error.h"
#include "kappa/engine/kill_point.h"
#include "kappa/state/keys.h"

namespace kappa::detail {
namespace {

bool is_leftover(const std::string& name) { return name.ends_with(kLeftoverSuffix); }
bool is_sst(const std::string& name) { return name.ends_with(".sst"); }

/// Whether hard links from one directory into the other work; st_dev alone does not tell (bind mounts).
bool can_link(const Path& from, const Path& to) {
  const Path probe = from / "probe.tmp";
  const Path link = to / "probe.tmp";
  remove_tree(probe);
  remove_tree(link);
  write_file(probe, {});
  const bool works = hard_link(probe, link);
  remove_tree(probe);
  remove_tree(link);
  return works;
}

}  // namespace

RocksTaskState::RocksTaskState(std::shared_ptr<StoreContext> context, TaskId task)
    : context_(std::move(context)),
      task_(std::move(task)),
      directory_(context_->checkpoints / task_directory_name(task_)),
      live_root_(context_->live / task_directory_name(task_)) {
  {
    const std::lock_guard lock(context_->mutex);
    if (!context_->open.insert(task_).second) refuse("the state of task " + to_string(task_) + " is open already");
  }
  try {
    remove_tree(live_root_);
    make_private_directories(live_root_);
    make_private_directories(directory_);
    remove_leftovers();
    links_work_ = can_link(live_root_, directory_);
  } catch (...) {
    const std::lock_guard lock(context_->mutex);
    context_->open.erase(task_);
    throw;
  }
}

RocksTaskState::~RocksTaskState() {
  live_.reset();
  std::error_code ignored;  // what stays is removed at the next start
  if (pending_) std::filesystem::remove_all(pending_->temporary, ignored);
  const std::lock_guard lock(context_->mutex);
  context_->open.erase(task_);
}

void RocksTaskState::remove_leftovers() {
  for (const std::string& name : list_directory(directory_)) {
    if (is_leftover(name)) remove_tree(directory_ / name);
  }
}

std::vector<CheckpointMeta> RocksTaskState::checkpoints(
    const std::function<void(const std::string&, const std::string&)>& damaged) {
  std::vector<CheckpointMeta> all;
  for (const Path& place : places()) {
    std::vector<CheckpointMeta> here;
    for (const std::string& name : list_directory(place)) {
      if (is_leftover(name)) continue;
      try {
        here.push_back(read_manifest(place / name).meta);
      } catch (const Error& error) {
        // A borrowed checkpoint may go while we look.
        if (damaged && path_exists(place / name)) damaged((place / name / kManifestName).string(), error.what());
      }
    }
    std::stable_sort(here.begin(), here.end(), [](const CheckpointMeta& a, const CheckpointMeta& b) {
      return std::tie(a.sequence, a.created_ms) > std::tie(b.sequence, b.created_ms);
    });
    all.insert(all.end(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
  }
  return all;
}

std::vector<Path> RocksTaskState::places() const {
  std::vector<Path> places{directory_};
  std::vector<Path> borrowed = context_->options.borrowed_directories;
  if (context_->options.find_borrowed)
    for (Path& found : context_->options.find_borrowed()) borrowed.push_back(std::move(found));
  for (const Path& directory : borrowed) places.push_back(directory / directory_.filename());
  return places;
}

Path RocksTaskState::find(const std::string& id) const {
  for (const Path& place : places()) {
    for (const std::string& name : list_directory(place)) {
      if (name.ends_with("-" + id)) return place / name;
    }
  }
  fail("task " + to_string(task_) + " has no checkpoint " + id + " in " + directory_.string());
}

Path RocksTaskState::next_live_directory() {
  usable_ = false;
  live_.reset();
  digests_.clear();
  base_ = {};
  nodes_.clear();
  return live_root_ / std::to_string(++live_count_);
}

void RocksTaskState::clear() {
  KAPPA_CHECK(!pending_, "publish() or discard() comes first");
  const Path directory = next_live_directory();
  make_private_directories(directory);
  live_ = std::make_shared<LiveDatabase>(directory, LiveDatabase::Mode::create, context_->resources,
                                         "task " + to_string(task_));
  usable_ = true;
}

void RocksTaskState::bring_files(const Path& checkpoint, const Manifest& manifest, const Path& live) {
  for (const FileEntry& file : manifest.files) {
    const Path from = checkpoint / file.name;
    const Path to = live / file.name;
    check_size(from, file);
    if (!is_sst(file.name) || !hard_link(from, to)) copy_private_file(from, to);
    // Checked where it will be used, so that nothing can come between.
    FileDigest digest = check_content(from, to, file);
    if (is_sst(file.name)) digests_.emplace(file.name, std::move(digest));
    base_.files.emplace(file.name, file);
  }
  base_.directory = checkpoint;
}

std::unique_ptr<RestoredState> RocksTaskState::restore(const std::string& id) {
  KAPPA_CHECK(!pending_, "publish() or discard() comes first");
  const Path directory = next_live_directory();
  const Path checkpoint = find(id);
  try {
    Manifest manifest = read_manifest(checkpoint);
    make_private_directories(directory);
    bring_files(checkpoint, manifest, directory);
    KAPPA_KILL_POINT("restore.linked");
    live_ = std::make_shared<LiveDatabase>(directory, LiveDatabase::Mode::restored, context_->resources,
                                           checkpoint.string());
    nodes_.insert(manifest.nodes.begin(), manifest.nodes.end());
    usable_ = true;
    return restored_state(std::move(manifest.meta), live_);
  } catch (const Error& error) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    if (error.kind() != ErrorKind::failed) throw;
    fail(std::string(error.what()) + "; checkpoint " + id + " of task " + to_string(task_) +
         " cannot be used: start from an older one, or let the log be read again");
  }
}

std::vector<NodeChanges> RocksTaskState::sorted_changes(
    std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> nodes) {
  std::map<std::uint64_t, std::string> ids;
  for (const std::string& name : nodes_) ids.emplace(node_id(name), name);
  std::vector<NodeChanges> changes;
  for (auto& [name, frozen] : nodes) {
    if (!frozen) continue;
    const std::uint64_t id = node_id(name);
    const std::string& owner = ids.emplace(id, name).first->second;
    if (owner != name) refuse("nodes '" + owner + "' and '" + name + "' have the same id in the state; rename one");
    nodes_.insert(name);
    changes.push_back({id, name, std::move(frozen)});
  }
  std::sort(changes.begin(), changes.end(), [](const NodeChanges& a, const NodeChanges& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(changes.begin(), changes.end(),
                                        [](const NodeChanges& a, const NodeChanges& b) { return a.id == b.id; });
  KAPPA_CHECK(twice == changes.end(), "a node freezes once per checkpoint");
  return changes;
}

// Whether the changes leave nothing in the live database that is still needed.
bool RocksTaskState::is_complete(const std::vector<std::pair<std::string, std::unique_ptr<Frozen>>>& nodes) const {
  std::set<std::string> needed = nodes_;
  for (const auto& [name, frozen] : nodes) {
    if (!frozen) continue;
    if (!frozen->is_complete()) return false;
    needed.erase(name);
  }
  return needed.empty();
}

void RocksTaskState::write(const CheckpointMeta& meta,
                           std::vector<std::pair<std::string, std::unique_ptr<Frozen>>> nodes) {
  check_meta(meta);
  KAPPA_CHECK(!pending_, "one pending checkpoint at a time");
  KAPPA_CHECK(usable_, "restore() or clear() comes first");
  if (live_->is_worth_replacing() && is_complete(nodes)) {
    clear();  // one sorted file in an empty database: nothing to compact, and the least to restore
    KAPPA_KILL_POINT("checkpoint.database-replaced");
  }
  usable_ = false;
  live_->ingest(sorted_changes(std::move(nodes)));
  Manifest manifest{.task = task_, .meta = meta, .nodes = {nodes_.begin(), nodes_.end()}, .files = {}};
  if (manifest.meta.created_ms == 0 && context_->options.wall_ms)
    manifest.meta.created_ms = context_->options.wall_ms();
  make_pending(std::move(manifest));
  usable_ = true;
}

void RocksTaskState::make_pending(Manifest manifest) {
  const std::string name = checkpoint_directory_name(manifest.meta);
  const Path temporary = directory_ / (name + kLeftoverSuffix);
  if (path_exists(directory_ / name)) fail("checkpoint " + (directory_ / name).string() + " exists already");
  try {
    make_files(temporary);
    manifest.files = digest_files(temporary);  // RocksDB, or our copy, has synced them
    KAPPA_KILL_POINT("checkpoint.created");
    write_file(temporary / kManifestName, encode_manifest(manifest));
    KAPPA_KILL_POINT("checkpoint.manifest-written");
    sync_directory(temporary);
    KAPPA_KILL_POINT("checkpoint.manifest-synced");
  } catch (...) {
    std::error_code ignored;  // else removed at the next start
    std::filesystem::remove_all(temporary, ignored);
    throw;
  }
  pending_ = Pending{.temporary = temporary, .published = directory_ / name, .manifest = std::move(manifest)};
}

void RocksTaskState::make_files(const Path& target) {
  if (links_work_) {
    live_->checkpoint(target);
    make_private_directory(target);
    return;
  }
  const Path staging = live_root_ / "staging";
  remove_tree(staging);
  live_->checkpoint(staging);
  make_private_directories(target);
  transfer(staging, target);
  remove_tree(staging);
}

void RocksTaskState::transfer(const Path& staging, const Path& target) {
  for (const std::string& name : list_directory(staging)) {
    const auto shared = base_.files.find(name);
    const auto digest = digests_.find(name);
    // The same name, and the same bytes as when that checkpoint was made: link to its copy instead of copying again.
    const bool same = is_sst(name) && shared != base_.files.end() && digest != digests_.end() &&
                      digest->second.xxh3 == shared->second.xxh3 && path_exists(base_.directory / name);
    if (!same || !hard_link(base_.directory / name, target / name)) copy_private_file(staging / name, target / name);
  }
}

std::vector<FileEntry> RocksTaskState::digest_files(const Path& directory) {
  std::vector<FileEntry> files;
  std::map<std::string, FileDigest> digests;
  for (const std::string& name : list_directory(directory)) {
    const auto cached = digests_.find(name);
    FileDigest digest = stat_file(directory / name);
    if (cached != digests_.end() && cached->second.size == digest.size &&
        (!links_work_ || cached->second.inode == digest.inode)) {
      digest.xxh3 = cached->second.xxh3;
    } else {
      make_private_file(directory / name);
      digest = digest_file(directory / name);
    }
    if (is_sst(name)) digests[name] = digest;
    files.push_back({.name = name, .size = digest.size, .xxh3 = digest.xxh3});
  }
  digests_ = std::move(digests);
  return files;
}

void RocksTaskState::publish() {
  KAPPA_CHECK(pending_, "write() comes first");
  rename_path(pending_->temporary, pending_->published);
  sync_directory(directory_);
  KAPPA_KILL_POINT("checkpoint.published");
  base_ = {.directory = pending_->published, .files = {}};
  for (FileEntry& file : pending_->manifest.files) base_.files.emplace(file.name, std::move(file));
  pending_.reset();
  apply_retention();
}

void RocksTaskState::discard() {
  KAPPA_CHECK(pending_, "write() comes first");
  const Path temporary = pending_->temporary;
  pending_.reset();
  usable_ = false;
  remove_tree(temporary);
}

void RocksTaskState::apply_retention() {
  std::map<std::string, RetentionEntry> entries;
  for (const std::string& name : list_directory(directory_)) {
    if (is_leftover(name)) continue;
    if (const auto known = known_.find(name); known != known_.end()) {
      entries.insert(*known);
      continue;
    }
    try {
      const CheckpointMeta meta = read_manifest(directory_ / name).meta;
      entries[name] = {name, meta.sequence, meta.created_ms, !meta.savepoint.empty()};
    } catch (const Error&) {  // checkpoints() tells; a damaged one neither counts nor goes
    }
  }
  known_ = std::move(entries);
  std::vector<RetentionEntry> list;
  for (const auto& [name, entry] : known_) list.push_back(entry);
  for (const std::string& name : superseded(list, context_->options.checkpoints_retained, context_->history)) {
    remove_checkpoint(name);
  }
}

void RocksTaskState::remove_checkpoint(const std::string& name) {
  // Renamed first: a process that dies in between leaves no half checkpoint under a good name.
  const Path leftover = directory_ / (name + kLeftoverSuffix);
  rename_path(directory_ / name, leftover);
  remove_tree(leftover);
  known_.erase(name);
  KAPPA_KILL_POINT("checkpoint.old-removed");
}

void RocksTaskState::drop_checkpoints() {
  for (const std::string& name : list_directory(directory_)) {
    if (is_leftover(name)) continue;
    try {
      if (read_manifest(directory_ / name).meta.savepoint.empty()) remove_checkpoint(name);
    } catch (const Error&) {  // damaged: it may be a savepoint
    }
  }
}

}  // namespace kappa::detail
