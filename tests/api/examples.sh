#!/usr/bin/env bash
# The examples as a user builds them: examples.sh SOURCE BUILD. The library is installed into a folder, found there by CMake
# and by pkg-config, and each example does what it says on the bundled model.
set -euo pipefail
source=$1 build=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
complain() { echo "$*"; failed=1; }

for component in lib dev engine; do
  cmake --install "$build" --prefix "$scratch/usr" --component $component >/dev/null
done
cmake -S "$source/examples" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/usr" -DCMAKE_BUILD_TYPE=Debug >/dev/null
cmake --build "$scratch/build" -j2 >/dev/null
run() {
  local example=$1
  shift
  "$scratch/build/$example" "$@" || complain "$example failed"
}
demo=$source/models/demo/walk_01.jpg model=$source/models/litter.onnx
run split_and_run "$model" "$demo" split10 | grep -E '^[a-z]+ \(0\.[0-9]+\); [0-9]+ bytes crossed at block' || complain "split_and_run"
run encode "$model" "$source/models/litter.bundle" "$demo" split13 q4 | grep -E '^q4: [0-9]+ of [0-9]+ bytes, [0-9.]+ % of the signal lost' || complain "encode"
run plan_fleet "$model" "$source/scenarios/million.toml" | grep -E 'devices: [0-9]+ euro a month' || complain "plan_fleet"
("$scratch/build/split_and_run" "$model" "$demo" nowhere 2>&1 || true) | grep -q "nowhere" || complain "an error is not told"

# pkg-config, C, and a path of one's own.
libdir=$(dirname "$(find "$scratch/usr" -name 'libfogline.so')")
export PKG_CONFIG_PATH=$libdir/pkgconfig
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -pedantic -Werror "$source/tests/api/c_test.c" -o "$scratch/c" $(pkg-config --cflags --libs fogline) -Wl,-rpath,"$libdir"
"$scratch/c" "$model" "$source/models/litter.bundle" || complain "a program in C failed"
# Every header stands by itself, in the oldest C++ that it promises.
for header in "$scratch"/usr/include/fogline/*.h; do
  echo "#include <fogline/$(basename "$header")>" |
    c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$scratch/usr/include" -x c++ - || complain "$header"
done
exit $failed
