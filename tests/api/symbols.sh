#!/usr/bin/env bash
# What libfogline exports, held against libfogline.symbols: symbols.sh LIBRARY [--write]. A line that went, or changed, breaks
# programs that are linked with an older one: another SONAME then (PROJECT_VERSION_MAJOR). A new line is added by --write.
set -euo pipefail
list=$(dirname "$0")/libfogline.symbols
exported() { nm -D --defined-only -C "$1" | sed -n 's/^[0-9a-f]* [TDBVW] //p' | LC_ALL=C sort; }
if [ "${2:-}" = --write ]; then exported "$1" >"$list"; exit; fi
readelf -d "$1" | grep -q 'SONAME.*\[libfogline\.so\.[0-9]*\]' || { echo "$1 has no SONAME"; exit 1; }
diff <(exported "$1") "$list" && exit
echo "$1 does not export what $list says; is that wanted? tests/api/symbols.sh $1 --write"
exit 1
