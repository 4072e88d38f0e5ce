#!/usr/bin/env bash
# deb_test.sh CPACK-CONFIG WORK: makes the Debian package, unpacks it and looks inside.
set -euo pipefail
config="$1" work="$2"
rm -rf "$work" && mkdir -p "$work/root"
cpack --config "$config" -B "$work" >"$work/cpack.log" 2>&1 || { cat "$work/cpack.log"; exit 1; }
package="$(echo "$work"/kappa_*.deb)"
dpkg-deb --extract "$package" "$work/root"
dpkg-deb --control "$package" "$work/control"
cd "$work/root"
expected="./lib/systemd/system/kappa@.service
./usr/bin/kappa
./usr/share/doc/kappa/LICENSE
./usr/share/kappa/alerts.yml
./usr/share/kappa/dashboard.json"
found="$(find . -type f | sed 's|^./usr/lib/systemd|./lib/systemd|' | LC_ALL=C sort)"
[ "$found" = "$expected" ] || { echo "the package holds:"; echo "$found"; exit 1; }
for library in librdkafka1 librocksdb libtcmalloc; do
  grep -q "^Depends:.*$library" "$work/control/control" || { echo "no dependency on $library"; cat "$work/control/control"; exit 1; }
done
sh -n "$work/control/postinst"
./usr/bin/kappa --version | grep -q '^kappa '
