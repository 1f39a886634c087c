#!/usr/bin/env bash
# Rooms may include those above them in docs/architecture.md, never those below, and a third party's headers stay in its
# room. Every folder of src/ must be in the table, so that neither can drift from the other.
set -euo pipefail
cd "$1"

mapfile -t rooms < <(sed -n '/^## Rooms/,/^## The path/s/^| `\([a-z]*\)\/`.*/\1/p' docs/architecture.md)
[ "${#rooms[@]}" -gt 10 ] || { echo "docs/architecture.md: no table of rooms found"; exit 1; }
failed=0
complain() { echo "$*"; failed=1; }

for folder in src/*/; do
  name=$(basename "$folder")
  # No pipe: grep -q ends at the first match, and what is still being written to it then fails.
  grep -qx "$name" <<<"$(printf '%s\n' "${rooms[@]}")" || complain "src/$name is not in the table of docs/architecture.md"
done

for i in "${!rooms[@]}"; do
  for j in "${!rooms[@]}"; do
    [ "$j" -gt "$i" ] || continue
    while read -r hit; do complain "$hit: ${rooms[$i]} is above ${rooms[$j]} and may not include it"; done < <(
      grep -rn "#include \"${rooms[$j]}/" "src/${rooms[$i]}" --include='*.cc' --include='*.h' --exclude='*_test*' || true)
  done
done

# header pattern → the rooms it may appear in
while read -r pattern owners; do
  while read -r hit; do
    room=$(cut -d/ -f2 <<<"$hit")
    grep -qw "$room" <<<"$owners" || complain "$hit: $pattern belongs to $owners"
  done < <(grep -rnE "#include <$pattern" src --include='*.cc' --include='*.h' --exclude='*_test*' || true)
done <<'TABLE'
onnxruntime engine
onnx/ graph quantize
google/protobuf graph
openssl/ssl link
boost/beast web
boost/asio web
sqlite3 store
hiredis store
libpq store
turbojpeg vision
jpeglib vision
webp/ vision
libexif vision
libheif vision
stb/ vision
png.h vision
LBFGS learn
Eigen learn
boost/container plan
boost/graph plan
CLI/ cli
spdlog base
nlohmann/ base
toml\+\+ base
TABLE
exit "$failed"
