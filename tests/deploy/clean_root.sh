#!/usr/bin/env bash
# The Debian packages in a Debian of their own: clean_root.sh FOLDER. A new root without compilers (debootstrap, from where this
# machine's apt takes its packages) gets fogline, runs the demo, upgrades to a next version, goes back, uses the Python module,
# builds an example with the library, and is rid of all again. Needs root, debootstrap and lintian; takes some minutes and 1 GB,
# and leaves nothing. `make test-package` runs it.
set -euo pipefail
debs=("$(realpath "$1")"/*.deb)
deb=$(ls "$(realpath "$1")"/fogline_*.deb)
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
root=$scratch/root
say() { printf 'clean root: %s\n' "$*"; }
die() { say "$*"; exit 1; }

lintian --fail-on error,warning "${debs[@]}" || die "lintian has something to say"
say "lintian has nothing to say"

from=$(apt-get indextargets --format '$(SITE)' | head -n 1)
suite=$(sed -n 's|^VERSION_CODENAME=||p' /etc/os-release)
debootstrap --variant=minbase "$suite" "$root" "$from" >"$scratch/log" 2>&1 || { tail -3 "$scratch/log"; exit 1; }
cp -rT /etc/apt/sources.list.d "$root/etc/apt/sources.list.d"
cp -rT /etc/apt/apt.conf.d "$root/etc/apt/apt.conf.d"
cp -r /usr/share/keyrings /etc/apt/trusted.gpg.d "$root/tmp/"
cp -rn "$root"/tmp/keyrings/. "$root/usr/share/keyrings/"
cp /etc/resolv.conf "$root/etc/"
cp "$deb" "$root/tmp/this.deb"
mkdir "$root/tmp/parts"
for one in "${debs[@]}"; do [ "$one" = "$deb" ] || cp "$one" "$root/tmp/parts/"; done

# The next version: other defaults, so that an upgrade has something to leave alone.
dpkg-deb -R "$deb" "$scratch/next"
sed -i 's/^Version: \(.*\)/Version: \1+next/' "$scratch/next/DEBIAN/control"
echo '# of the next version' >>"$scratch/next/etc/fogline/edge.env"
(cd "$scratch/next" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb -b -Zgzip "$scratch/next" "$root/tmp/next.deb" >/dev/null

cat >"$root/tmp/inside" <<'END'
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt() { apt-get "$@" -y -qq -o Dpkg::Options::=--force-confdef </dev/null >/tmp/apt.log 2>&1 || { tail -3 /tmp/apt.log; exit 1; }; }
apt update
apt install /tmp/this.deb
[ -z "$(command -v g++ || true)" ] || { echo "a compiler came along"; exit 1; }
fogline version | head -n 1
start=$(date +%s)
fogline demo --once --json >/tmp/demo.json 2>/tmp/demo.log </dev/null || { tail -3 /tmp/demo.log; exit 1; }
echo "demo ran: $(($(date +%s) - start)) s"
echo FOGLINE_BROKER=mqtts://mine >>/etc/fogline/edge.env
apt install /tmp/next.deb
dpkg-query -W fogline | grep -q next
grep -q mine /etc/fogline/edge.env || { echo "an upgrade lost what an operator wrote"; exit 1; }
apt install --allow-downgrades /tmp/this.deb
fogline version >/dev/null
apt install /tmp/parts/libfogline0_*.deb /tmp/parts/python3-fogline_*.deb
python3 -c '
import fogline
model = fogline.Model.load("/usr/share/fogline/models/litter.onnx")
print("python:", fogline.plan(model, "jetson-nano", "t2.micro", "4g").best.route)'
apt install --no-install-recommends /tmp/parts/libfogline-dev_*.deb cmake g++ make
cmake -S /usr/share/doc/libfogline-dev/examples -B /tmp/examples >/dev/null && cmake --build /tmp/examples >/dev/null
{ /tmp/examples/plan_fleet /usr/share/fogline/models/litter.onnx /nowhere.toml 2>/dev/null || true; } | grep '^one device'
mkdir -p /etc/fogline/keys && touch /etc/fogline/keys/ca.crt
apt purge fogline libfogline0 libfogline-dev python3-fogline
left=$(ls -d /usr/bin/fogline* /usr/lib/fogline /usr/lib/*/libfogline* /usr/include/fogline /usr/share/fogline /etc/fogline/*.env 2>/dev/null || true)
[ -z "$left" ] || { echo "purged, and still there: $left"; exit 1; }
[ -e /etc/fogline/keys/ca.crt ] || { echo "purging took an operator's key"; exit 1; }
echo "installed, upgraded, downgraded, purged"
END
unshare --mount --pid --fork bash -c 'mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; exec chroot "$1" bash /tmp/inside' _ "$root"
