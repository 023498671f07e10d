# Shared by the test bed's shell scripts: where the cache is, and how work is shown.
# Sourced, never run.
# shellcheck shell=bash

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${HC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/health-checker}
export REPO CACHE HC_CACHE="$CACHE"

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# A short name for content: what is cached is found again by what it was made from.
hash_of() { sha256sum | cut -c1-12; }

# The names in a package list, without comments and empty lines.
packages_in() { sed 's/#.*//' "$1" | tr -s ' \n' '\n' | sed '/^$/d'; }

# with_progress TITLE LOG CMD…: runs CMD with its output in LOG and shows that time passes.
# On failure the end of LOG is printed, because nobody looks for a log that is not named.
with_progress() {
    local title=$1 log=$2 start=$SECONDS pid last rc=0
    shift 2
    "$@" >"$log" 2>&1 &
    pid=$!
    [ -t 2 ] || printf '%s …\n' "$title" >&2
    while kill -0 "$pid" 2>/dev/null; do
        # Ends as soon as the work does: tail watches the process.
        timeout 1 tail -f --pid="$pid" -s 0.2 /dev/null || true
        if [ -t 2 ]; then
            last=$(tail -c 300 "$log" 2>/dev/null | tr '\r' '\n' | tail -n 1 | cut -c1-60)
            printf '\r\033[K%s … %ds  %s' "$title" $((SECONDS - start)) "$last" >&2
        elif [ $(((SECONDS - start) % 20)) -eq 19 ]; then
            printf '%s … %ds\n' "$title" $((SECONDS - start)) >&2
        fi
    done
    wait "$pid" || rc=$?
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if [ "$rc" -ne 0 ]; then
        printf '%s: FAILED after %ds; the end of %s:\n' "$title" $((SECONDS - start)) "$log" >&2
        tail -n 30 "$log" >&2
        return "$rc"
    fi
    printf '%s: %ds\n' "$title" $((SECONDS - start)) >&2
}

# keep_newest N MINUTES PREFIX: removes the cache's directories with PREFIX, except the N used last
# and what was used within so many minutes: another run may be in the middle of it. Who uses one
# touches it.
keep_newest() {
    local old
    # The names are ours (PREFIX-hash), so ls is safe here.
    # shellcheck disable=SC2012
    ls -1dt "$CACHE/$3"-[0-9a-f]* 2>/dev/null | tail -n +$(($1 + 1)) | while read -r old; do
        if [ -n "$(find "$old" -maxdepth 0 -mmin "+$2")" ]; then rm -rf --one-file-system "$old"; fi
    done
}
