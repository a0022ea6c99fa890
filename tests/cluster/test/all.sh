#!/usr/bin/env bash
#
# Every test of the cluster itself, one after the other. Ends with the cluster stopped.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
passed=0
failed=0

# add OUTPUT: adds a test's closing line to the totals; a test without one has failed.
add() {
  local last
  last=$(tail -n 1 <<<"$1")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
  fi
}

for name in process restarts smoke netpol services leaves-nothing; do
  echo "# $name"
  output=$("$here/$name.sh") || true
  grep -v " passed, " <<<"$output" || true
  add "$output"
done
echo "$passed passed, $failed failed"
((failed == 0))
