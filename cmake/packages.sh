#!/usr/bin/env bash
# Installs those packages of cmake/packages.txt that are missing. Called by ./check and ./quickstart; needs root or sudo
# only if something is missing.
set -euo pipefail
list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "packages: this is no Debian system; install what cmake/packages.txt lists and run cmake by hand (README.md)" >&2
  exit 1
fi

missing=()
while read -r package; do
  case "$package" in '' | '#'*) continue ;; esac
  status="$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)"
  [ "$status" = "install ok installed" ] || missing+=("$package")
done <"$list"
[ "${#missing[@]}" -gt 0 ] || exit 0

echo "packages: installing ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "packages: neither root nor sudo here; as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
# `env` rather than an assignment: sudo would drop it.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
