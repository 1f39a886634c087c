#!/usr/bin/env bash
# The Debian packages hold what they promise: package.sh SOURCE BUILD. Made twice, they are the same bytes; unpacked anywhere, their
# programs run with the engine beside them; every command has a man page and its words in three shells.
set -euo pipefail
source=$1 build=$2
command -v dpkg-shlibdeps >/dev/null || { echo "skipped: the package (dpkg-dev is not installed)"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
complain() { echo "$*"; failed=1; }

export PRESET
PRESET=$(basename "$build")
"$source/scripts/package" >/dev/null
deb=$(ls "$build"/fogline_*.deb)
mkdir "$scratch/first"
cp "$build"/*.deb "$scratch/first"
"$source/scripts/package" >/dev/null
for one in "$scratch"/first/*.deb; do cmp "$one" "$build/$(basename "$one")" || complain "two packages of one build differ"; done

root=$scratch/root
for one in "$build"/*.deb; do dpkg-deb -x "$one" "$root"; done
dpkg-deb -f "$deb" Depends | grep -q 'libc6 (>=' || complain "nothing says which libraries are needed"
dpkg-deb -f "$deb" Recommends | grep -q mosquitto || complain "the demo's broker does not come along"
dpkg-deb -I "$deb" conffiles | grep -q '^/etc/fogline/edge.env$' || complain "defaults would be overwritten by an upgrade"
for file in lib/systemd/system/fogline-{cloud,edge,map}.service usr/share/fogline/models/litter.onnx usr/share/fogline/deploy/mosquitto/acl \
  usr/share/doc/fogline/copyright usr/share/doc/fogline/changelog.gz; do
  [ -e "$root/$file" ] || complain "$file is missing"
done
for program in usr/bin/fogline usr/bin/fogline-lab usr/lib/fogline/libonnxruntime.so.1; do
  readelf -S "$root/$program" | grep -q '\.debug_info' && complain "$program is not stripped"
done
"$root/usr/bin/fogline" version | grep -q "$(dpkg-deb -f "$deb" Version)" || complain "the program is of another version"
"$root/usr/bin/fogline" train --help | grep -q -- --exits || complain "fogline-lab is not found beside fogline"
[ "$(find "$root" -type f -perm /o+w | wc -l)" = 0 ] || complain "files that everybody may write"

for command in "" plan store-copy quantize; do
  page=$root/usr/share/man/man1/fogline${command:+-$command}.1.gz
  [ -e "$page" ] || { complain "no man page: $page"; continue; }
  zcat "$page" | grep -q '^\.SH SYNOPSIS' || complain "$page says not how it is called"
done
if command -v man >/dev/null; then
  for page in "$root"/usr/share/man/man1/*.gz; do
    words=$(LC_ALL=C.UTF-8 MANWIDTH=120 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null | grep -v "can't break line" || true)
    [ -z "$words" ] || complain "$page: $words"
  done
fi

# What a person would get who presses the tabulator behind these words.
words() {
  bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fogline; printf "%s\n" "${COMPREPLY[@]}"' _ \
    "$root/usr/share/bash-completion/completions/fogline" "$@"
}
[ "$(words fogline pl)" = plan ] || complain "bash: 'fogline pl' is not 'plan'"
[ "$(words fogline store co)" = copy ] || complain "bash: 'fogline store co' is not 'copy'"
words fogline plan model.onnx --l | grep -qx -- --link || complain "bash: 'fogline plan model.onnx --l' is not '--link'"
[ -z "$(words fogline plan mod)" ] || complain "bash: a model's name is no word of ours"
for shell in zsh fish; do
  command -v $shell >/dev/null || continue
  $shell -n "$(find "$root/usr/share/$shell" -type f)" || complain "$shell does not read its completions"
done

# Programs of others: C++ by CMake's package and C by pkg-config are built by tests/api; here, that the parts find each other.
libdir=$(dirname "$(find "$root/usr/lib" -name 'libfogline.so.0')")
ldd "$libdir"/libfogline.so.0 | grep -q "libonnxruntime.so.1 => .*usr/lib/.*fogline/" || complain "the library does not find the engine"
for file in usr/include/fogline/fogline.h "${libdir#"$root"/}"/{cmake/fogline/fogline-config.cmake,pkgconfig/fogline.pc} usr/share/doc/libfogline-dev/examples/encode.cc; do
  [ -e "$root/$file" ] || complain "libfogline-dev lacks $file"
done
if [ -e "$root/usr/lib/python3" ]; then
  LD_LIBRARY_PATH=$libdir PYTHONPATH=$root/usr/lib/python3/dist-packages /usr/bin/python3 -B -c '
import fogline, sys
assert fogline.__file__.startswith(sys.argv[1]), fogline.__file__
fogline.Model.load(sys.argv[2]).split("split10")' "$root" "$source/models/litter.onnx" || complain "the module does not work"
fi
exit $failed
