#!/usr/bin/env bash
# Feeds the flights into the log (the embedded one, or Kafka where KAPPA_BOOTSTRAP_SERVERS says so) while a pipeline runs
# beside it, kills the pipeline with SIGKILL, restarts it, and corrects
# ten days of history with the fixed query.
#   run.sh KAPPA [DIRECTORY]     KAPPA: the program; DIRECTORY: where log and state go (default: a new one, removed at the end)
set -euo pipefail

kappa=${1:?usage: run.sh KAPPA [DIRECTORY]}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${2:-}
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'kill -9 $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
else
  mkdir -p "$work"
  trap 'kill -9 $(jobs -p) 2>/dev/null || true' EXIT
fi
rate=${FLIGHTS_RATE:-3000}
where=(--set "log.directory=$work/log" --set "state.directory=$work/state")

say() { printf '\n== %s\n' "$*"; }
records() { "$kappa" log topics "${where[@]}" 2>/dev/null | awk -v topic="$1" '$1 == topic { print $3 }'; }
count() { "$kappa" log read "$1" --values "${where[@]}" | wc -l; }  # without the markers that Kafka counts
# Waits until a topic holds at least so many records; gives up after a minute.
until_records() {
  for _ in $(seq 600); do
    [ "$(records "$1")" -ge "$2" ] 2>/dev/null && return
    sleep 0.1
  done
  echo "topic $1 did not reach $2 records" >&2
  exit 1
}

say "Two records that will not decode, then 27,004 flights at $rate a second, in the background"
"$kappa" log import flights "$here/bad.jsonl" --key carrier --timestamp published --partitions 4 "${where[@]}"
"$kappa" log import flights "$here/flights-2013-01.jsonl.gz" --key carrier --timestamp published --rate "$rate" "${where[@]}" &
feed=$!

say "The pipeline runs live beside the feed"
"$kappa" run "$here/delays.sql" "${where[@]}" --set checkpoint.interval=1s &
live=$!
until_records delays 1000

say "kill -9 in mid-feed ($(records flights) flights in the log, $(records delays) results published)"
kill -9 "$live"
wait "$live" 2>/dev/null || true

say "Restart; the feed goes on"
"$kappa" run "$here/delays.sql" "${where[@]}" --set checkpoint.interval=1s &
live=$!
wait "$feed"
kill -TERM "$live"
wait "$live" || [ $? -eq 143 ]  # a clean stop by a signal: 128 + its number

say "Finish what is in the log, and show the last results of one airline"
"$kappa" run "$here/delays.sql" --until-end "${where[@]}"
"$kappa" log read delays --table "${where[@]}" | awk 'NR == 1 || ($1 == "HA")' | { IFS= read -r head; echo "$head"; tail -5; }

say "What did not decode lies in the dead letters, with its cause"
"$kappa" log read flight-delays-dead-letters "${where[@]}"

say "Nothing lost, nothing doubled: the same query replayed from the beginning publishes the same"
"$kappa" replay "$here/delays.sql" --from 2013-01-01 --name proof --execute "${where[@]}"
"$kappa" diff proof "${where[@]}"
[ "$(count delays)" = "$(count delays.proof)" ] || { echo "delays and delays.proof differ in number" >&2; exit 1; }

say "Plan the correction: the fixed query, ten days"
"$kappa" plan "$here/fixed.sql" --from 2013-01-10 --to 2013-01-20 --name fix "${where[@]}"

say "Replay it into its own topic, and see which results change"
"$kappa" replay "$here/fixed.sql" --from 2013-01-10 --to 2013-01-20 --name fix --execute "${where[@]}"
"$kappa" diff fix --examples 3 "${where[@]}" && { echo "the correction changed nothing" >&2; exit 1; } || [ $? -eq 1 ]
say "Done. Live was never touched: delays holds $(count delays) results as before, delays.fix $(count delays.fix) corrected ones"
