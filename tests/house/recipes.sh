#!/usr/bin/env bash
# The recipes at the end of docs/architecture.md: every file they name is there and holds what it is said to hold.
set -euo pipefail
cd "$1"
failed=0 recipes=0
complain() { echo "docs/architecture.md: $*"; failed=1; }

recipe='' steps=0
finish() { [ -z "$recipe" ] || [ "$steps" -ge 4 ] || complain "$recipe: $steps steps are no recipe"; }
while IFS= read -r line; do
  if [[ $line == '### '* ]]; then
    finish
    recipe=${line#'### '} steps=0 recipes=$((recipes + 1))
  elif [[ $line =~ ^\|\ \`([^\`]+)\`\ \|\ \`([^\`]+)\`\ \| ]]; then
    file=${BASH_REMATCH[1]} text=${BASH_REMATCH[2]}
    steps=$((steps + 1))
    if [ ! -f "$file" ]; then complain "$recipe: there is no $file"
    elif ! grep -qF -- "$text" "$file"; then complain "$recipe: $file does not hold '$text'"; fi
  elif [[ $line == '|'* && $line != '| file |'* && $line != '|---'* ]]; then
    complain "$recipe: not a file and what to look for: $line"
  fi
done < <(sed -n '/^## Where to add/,$p' docs/architecture.md)
finish
[ "$recipes" -ge 5 ] || complain "$recipes recipes, of five"
exit $failed
