#include "kappa/tests/campaign/faults.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace kappa::campaign {

namespace {
using std::chrono::milliseconds;

bool is_verbose() { return std::getenv("KAPPA_CAMPAIGN_VERBOSE") != nullptr; }

}  // namespace

std::string to_string(Fault fault) {
  switch (fault) {
    case Fault::random_kill: return "SIGKILL at any moment";
    case Fault::kill_point: return "SIGKILL at a point";
    case Fault::zombie: return "SIGSTOP, taken over, SIGCONT";
    case Fault::takeover: return "dies while another joins";
    case Fault::broker_kill: return "broker SIGKILL";
    case Fault::broker_stop: return "broker SIGTERM";
    case Fault::broker_hold: return "broker SIGSTOP";
    case Fault::end_lost: return "EndTxn reply lost";
    case Fault::end_delayed: return "EndTxn reply delayed";
    case Fault::two_at_once: return "two instances at once";
  }
  return {};
}

bool needs_proxy(Fault fault) { return fault == Fault::end_lost || fault == Fault::end_delayed; }

const std::vector<std::string>& kill_points() {
  static const std::vector<std::string> kPoints{
      "kafka.commit.begun",          "kafka.commit.positions-sent",  "kafka.commit.decided",
      "checkpoint.sst-written",      "checkpoint.ingested",          "checkpoint.created",
      "checkpoint.manifest-written", "checkpoint.manifest-synced",   "checkpoint.published",
      "checkpoint.old-removed",      "checkpoint.database-replaced", "restore.linked"};
  return kPoints;
}

std::string to_string(const Tally& tally) {
  std::string text =
      fmt::format("{:<34} {:>8} {:>14} {:>18}\n", "fault", "injected", "inside commit", "inside checkpoint");
  for (const auto& [name, landed] : tally.landed)
    text += fmt::format("{:<34} {:>8} {:>14} {:>18}\n", name, landed.injected, landed.in_commit, landed.in_checkpoint);
  for (const auto& [name, wrong] : tally.wrong) text += "WRONG in " + name + ": " + wrong + "\n";
  if (tally.wrong.empty()) text += "0 lost, 0 doubled, in order, for both readers; no transaction hangs\n";
  return text + fmt::format(
                    "{} rounds, {} restarts by the supervisor; input of {} records in {} batches and {} aborted "
                    "transactions; {} records published\n",
                    tally.rounds, tally.restarts, tally.input, tally.batches, tally.aborted_batches, tally.output);
}

void Injector::wait_a_little() { round_.reader().wait_for(round_.reader().count() + 1000, milliseconds(below(25))); }

void Injector::inject(Fault fault) {
  if (is_verbose())
    std::fprintf(stderr, "%.3f s, %zu of %zu fed, %lld seen: %s\n",
                 std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(),
                 round_.feeder().fed(), round_.feeder().size(), static_cast<long long>(round_.reader().count()),
                 to_string(fault).c_str());
  constexpr std::size_t kRows = 500;
  round_.allow(kRows);
  round_.await_progress(1 + below(40));
  switch (fault) {
    case Fault::random_kill: return kill_at_random();
    case Fault::kill_point:
      return kill_at(kill_points()[next_point_++ % kill_points().size()], 1 + static_cast<int>(below(3)));
    case Fault::zombie: return replace({.held = true, .times_out = true, .comes_late = below(2) == 0});
    case Fault::takeover: return replace({});
    case Fault::broker_kill:
    case Fault::broker_stop:
    case Fault::broker_hold: return hurt_broker(fault);
    case Fault::end_lost:
    case Fault::end_delayed: return disturb_end(fault);
    case Fault::two_at_once: return start_two();
  }
}

void Injector::kill_at_random() {
  wait_a_little();
  round_.current().send(SIGKILL);
  if (round_.current().wait().signal == SIGKILL) round_.current().note(landed(Fault::random_kill));
  round_.start(round_.current_number);
}

// A point that is not reached in a while is one that is not passed any more, which the table shows.
void Injector::kill_at(const std::string& point, int passage) {
  constexpr std::chrono::seconds kWhile{8};
  Instance& instance = round_.current();
  instance.stop();
  instance.supervised = false;
  round_.start(round_.current_number, {{"KAPPA_KILL", point + ":" + std::to_string(passage)}});
  const auto until = std::chrono::steady_clock::now() + kWhile;
  round_.await([&] { return !instance.is_running() || std::chrono::steady_clock::now() >= until; }, "a death");
  if (instance.is_running()) instance.send(SIGTERM);
  Landed& here = tally_.landed["  at " + point];
  if (instance.wait().signal == SIGKILL) {
    instance.note(landed(Fault::kill_point));
    instance.note(here);
  }
  instance.supervised = true;
  round_.start(round_.current_number);
}

// What is held and comes back has lost its partitions, and its transaction; it is a member like the others then.
void Injector::replace(const Replacement& how) {
  constexpr milliseconds kBeyond{1500};  // what the broker takes to notice
  Instance& old = round_.current();
  old.supervised = false;
  wait_a_little();
  if (how.held) old.send(SIGSTOP);
  old.note(landed(how.held ? Fault::zombie : Fault::takeover));
  if (how.comes_late) round_.work_for(kTransactionTimeout + kBeyond);
  round_.current_number = round_.add_instance();
  round_.start(round_.current_number);
  if (!how.held) old.send(SIGKILL);
  round_.await_progress(10);
  if (how.times_out && !how.comes_late) round_.work_for(kTransactionTimeout + kBeyond);
  if (!how.held) {
    static_cast<void>(old.wait());
    return;
  }
  let_go(old);
}

void Injector::let_go(Instance& held) {
  constexpr milliseconds kWhile{1500};
  held.send(SIGCONT);
  held.supervised = true;
  round_.work_for(kWhile);
  held.supervised = false;
  held.stop();
}

void Injector::hold_at(const std::string& point, int passage) {
  Instance& old = round_.current();
  old.stop();
  old.supervised = false;
  round_.feed_backlog(300);
  round_.start(round_.current_number, {{"KAPPA_HOLD", point + ":" + std::to_string(passage)}});
  round_.await([&] { return old.is_held() || !old.is_running(); }, "an instance that is held at " + point);
  old.note(landed(Fault::zombie));
  round_.current_number = round_.add_instance();
  round_.start(round_.current_number);
  round_.await_progress(30);
  let_go(old);
}

// Records that are there before, so that commits are under way; none are fed meanwhile.
void Injector::hurt_broker(Fault fault) {
  if (fault == Fault::broker_hold) return hold_broker(milliseconds(1000 + below(4) * 1500));
  round_.feed_backlog(300);
  round_.feeding = false;
  wait_a_little();
  round_.current().note(landed(fault));
  fault == Fault::broker_kill ? round_.broker().kill() : round_.broker().stop();
  round_.work_for(milliseconds(below(1000)));
  round_.broker().restart();
  round_.feeding = true;
  round_.await_progress(10);
}

void Injector::hold_broker(milliseconds time) {
  round_.feed_backlog(300);
  round_.feeding = false;
  wait_a_little();
  round_.current().note(landed(Fault::broker_hold));
  round_.broker().hold();
  round_.work_for(time);
  round_.broker().go_on();
  round_.feeding = true;
  round_.await_progress(10);
}

void Injector::disturb_end(Fault fault) {
  const int before = proxy_->hits();
  if (fault == Fault::end_lost)
    proxy_->lose_next_end();
  else
    proxy_->delay_next_end(milliseconds(500) + below(4) * kTransactionTimeout / 2);
  round_.await([&] { return proxy_->hits() > before; }, "an EndTxn");
  round_.current().note(landed(fault));
  round_.await_progress(10);
}

void Injector::start_two() {
  Instance& first = round_.current();
  first.stop();
  const std::size_t number = round_.add_instance();
  ++landed(Fault::two_at_once).injected;
  round_.start(round_.current_number);
  if (below(2) == 0) wait_a_little();
  round_.start(number);
  round_.await_progress(20);
  round_.instance(number).supervised = false;
  round_.instance(number).stop();
}

void Injector::storm(int turns) {
  constexpr std::size_t kInstances = 4, kRows = 450;
  while (round_.instances() < kInstances) round_.start(round_.add_instance());
  for (int turn = 0; turn < turns; ++turn) {
    round_.allow(kRows);
    round_.work_for(milliseconds(1000 + below(4) * 700));
    const std::size_t number = below(kInstances);
    Instance& one = round_.instance(number);
    const bool dies = below(3) == 0;
    if (!one.is_running()) {
      one.supervised = true;
      round_.start(number);
      ++tally_.landed["joins"].injected;
      continue;
    }
    one.supervised = false;
    one.note(tally_.landed[dies ? "dies" : "leaves"]);
    one.send(dies ? SIGKILL : SIGTERM);
    static_cast<void>(one.wait());
  }
  for (std::size_t n = 0; n < kInstances; ++n) round_.instance(n).supervised = false;
}

std::string torture(Broker& broker, Plan plan, Tally& tally) {
  std::unique_ptr<Proxy> proxy;
  std::string wrong;
  if (plan.proxied) {
    proxy = std::make_unique<Proxy>(broker.proxy_port(), broker.proxied_port());
    plan.options.bootstrap = "127.0.0.1:" + std::to_string(broker.proxy_port());
  }
  Round round(broker, plan.options);
  ++tally.rounds;
  try {
    round.start(0);
    Injector injector(round, proxy.get(), plan.options.seed, tally);
    if (plan.deeds) plan.deeds(injector);
    wrong = round.finish();
  } catch (const std::exception& error) {
    wrong = error.what();
    broker.go_on();
    broker.restart();  // unless it runs
  }
  if (is_verbose()) std::fputs(round.ends().c_str(), stderr);
  tally.restarts += round.restarts();
  tally.input += static_cast<std::int64_t>(round.feeder().fed());
  tally.batches += round.feeder().committed + round.feeder().plain;
  tally.aborted_batches += round.feeder().aborted;
  tally.output += round.reader().count();
  if (!wrong.empty()) tally.wrong.try_emplace(plan.options.name, wrong.substr(0, wrong.find('\n')));
  return wrong.empty() ? wrong : wrong + "\n" + round.ends();
}

}  // namespace kappa::campaign
