# A comparison (lab compare --json) and $table, the lines of a differences.tsv -> a line for each of these with the number
# of findings that it explains; lines that begin with "!" for findings that none explains and causes that none shows.
# A finding belongs to the first line that fits; `*` stands for any run of characters.
def fits($glob): test($glob | gsub("(?<c>[^A-Za-z0-9*])"; "\\\(.c)") | gsub("\\*"; ".*") | "^\(.)$");

[$table | splits("\n") | select(. != "") | split("\t") | {route: .[0], place: .[1], kind: .[2], sort: .[3], why: .[4]}] as $rows
| [.findings[] as $found | $found + {row: (first($rows | keys_unsorted[] | select($rows[.] as $row
    | all("route", "place", "kind"; . as $part | $found[$part] | fits($row[$part])))) // -1)}] as $found
| ($rows | to_entries[] | .key as $index | .value as $row | [$found[] | select(.row == $index)] | length
    | if $row.sort == "cause" and . == 0 then "! nothing shows it: \($row.why)"
      else "  \(.) × \(if $row.sort == "cause" then "" else "noise: " end)\($row.why)" end),
  ($found[] | select(.row == -1) | "! not explained: \(.id): \(.examples[0].before) → \(.examples[0].after)")
