#!/usr/bin/env bash
# std::filesystem's functions throw where the disk fails them, unless they are given an error_code, and an exception ends
# the thread and the program with it. base/paths.h asks the same questions and answers with values: outside of src/base a
# call must name an error_code, and a folder is listed by EntriesOf (the increments of a range-for throw even when the
# iterator was made with an error_code).
set -euo pipefail
cd "$1"
failed=0
complain() { echo "$*"; failed=1; }

# Types and their makers that ask the disk nothing.
harmless='path|file_time_type|file_type|perms|perm_options|copy_options|directory_options|filesystem_error|directory_entry|u8path'
while IFS=: read -r file line text; do
  complain "$file:$line: throws when the disk fails: use base/paths.h, or pass an error_code: $text"
done < <(
  find src -name '*.cc' -o -name '*.h' | grep -v '^src/base/' | grep -v '_test' | sort | xargs perl -0777 -ne '
    my $harmless = qr/(?:'"$harmless"')\b/;
    while (/\b(?:std::filesystem|fs)::(?!$harmless)(\w+)\s*(?:\w+\s*)?(\((?:[^()]++|(?2))*\))/g) {
      my ($name, $call, $at) = ($1, $2, $-[0]);
      next if $call =~ /\b(?:error|ignored|missing|unknown|failed|code|status)\s*\)$/ && substr($_, $at - 30, 30) !~ /: *$/;
      my $line = 1 + (substr($_, 0, $at) =~ tr/\n//);
      my $text = "std::filesystem::$name$call";
      $text =~ s/\s+/ /g;
      print "$ARGV:$line:$text\n";
    }
    # Questions to an entry of a folder.
    while (/(?:\.|->)(is_regular_file|is_directory|is_symlink|file_size|last_write_time|exists|status|symlink_status)\(\)/g) {
      my $line = 1 + (substr($_, 0, $-[0]) =~ tr/\n//);
      print "$ARGV:$line:$&\n";
    }')
exit "$failed"
