#!/usr/bin/env bash
#
# What the scripts beside the product promise. Needs no cluster, and no root.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster/test/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

# --- scripts/lint-commits ----------------------------------------------------------------

# A repository with the script, the hook, and a commit from before the rule.
repository=$work/repository
git init --quiet "$repository"
cp -r "$SCRIPTS_DIR" "$REPOSITORY_DIR/.githooks" "$repository/"
git -C "$repository" config user.name somebody
git -C "$repository" config user.email somebody@example.com

# commit SUBJECT [DATE]: an empty commit, past any hook.
commit() {
  GIT_AUTHOR_DATE=${2:-@$(date +%s)} git -C "$repository" commit --quiet --allow-empty --no-verify --message "$1"
}

# refused COMMAND...: does it fail?
refused() { ! "$@"; }

commit x 2026-11-25T00:00:00Z
check "commits from before the rule are left as they are" "$repository/scripts/lint-commits"
commit "secrets: keep scalars as written"
commit "Merge branch 'other'"
git -C "$repository" reset --quiet --hard HEAD~1
check "a scope and a text are a subject" "$repository/scripts/lint-commits"
for subject in x "run: it" "Say what is wrong and what to do" "Upper: case is no scope" "engine:no space after it"; do
  commit "$subject"
  check "'$subject' is none" refused "$repository/scripts/lint-commits"
  git -C "$repository" reset --quiet --hard HEAD~1
done
commit x
git clone --quiet --depth 1 "file://$repository" "$work/shallow"
cp -r "$SCRIPTS_DIR" "$work/shallow/"
check "the newest commit is found in a shallow clone" refused "$work/shallow/scripts/lint-commits"
git -C "$repository" reset --quiet --hard HEAD~1
mkdir "$work/unpacked"
cp -r "$SCRIPTS_DIR" "$work/unpacked/"
check "without git's files there is nothing to check" \
  env GIT_CEILING_DIRECTORIES="$work" "$work/unpacked/scripts/lint-commits"

# hooked SUBJECT: a commit with the hook.
hooked() {
  git -C "$repository" -c core.hooksPath=.githooks commit --quiet --allow-empty --message "$1"
}
check "the hook lets a subject pass" hooked "tests: name the runtime of podman"
check "the hook lets what will be squashed pass" hooked "fixup! tests: name the runtime of podman"
message=$(hooked x 2>&1) || true
check_contains "the hook says what is wrong with another" "'x' is shorter than 10 characters" "$message"
check_same "and nothing is committed" "fixup! tests: name the runtime of podman" \
  "$(git -C "$repository" log -1 --format=%s)"

# --- scripts/packages.sh -------------------------------------------------------------------

# programs_of_tests: what the Rust tests start by name, one a line; kubectl is the cluster's own.
programs_of_tests() {
  grep -rhoE '(Command::new|program)\("[a-z][a-z-]*"' "$REPOSITORY_DIR/tests" --include='*.rs' |
    sed 's/.*("//; s/"$//' | sort -u | grep -vx kubectl
}

# files: of the packages that are installed for the tests, and of those that every Debian has.
files() {
  local essential
  mapfile -t essential < <(
    dpkg-query --show --showformat='${Essential} ${Package}\n' | sed -n 's/^yes //p'
  )
  dpkg --listfiles "${TEST_PACKAGES[@]}" "${SERVICE_PACKAGES[@]}" "${essential[@]}" 2>/dev/null
}

unknown=()
files | grep -E 's?bin/[^/]+$' | sed 's#.*/##' | sort -u >"$work/programs"
while read -r program; do
  grep -qxF -e "$program" "$work/programs" || unknown+=("$program")
done < <(programs_of_tests)
check_same "each program that the tests start comes with a package that is named" "" "${unknown[*]}"

# --- The ports of the test bed -------------------------------------------------------------

read -r lowest _ </proc/sys/net/ipv4/ip_local_port_range
for port in "$API_FORWARD_PORT" "$REGISTRY_PORT" "$NATS_PORT"; do
  check "no outgoing connection takes the port $port" test "$port" -lt "$lowest"
done

# --- scripts/fresh-machine -----------------------------------------------------------------

# A machine whose cache holds something of this project.
mkdir -p "$work/cache/tentacular/deno" "$work/cargo/registry"
bare() {
  env XDG_CACHE_HOME="$work/cache" CARGO_HOME="$work/cargo" GOCACHE="$work/cache/go" GOMODCACHE="$work/cache/modules" \
    CARGO_TARGET_DIR="$work/cache/target" "$SCRIPTS_DIR/fresh-machine" 2>&1
}
packages_before=$(dpkg-query --show | wc -l)
message=$(bare) || true
check_contains "without --yes, caches are listed" "$work/cache/tentacular" "$message"
check_contains "and nothing is removed" "nothing was removed" "$message"
check "no cache is" test -d "$work/cache/tentacular/deno" -a -d "$work/cargo/registry"
check_same "no package is" "$packages_before" "$(dpkg-query --show | wc -l)"
check "any other argument is refused" refused "$SCRIPTS_DIR/fresh-machine" --everything
finish
