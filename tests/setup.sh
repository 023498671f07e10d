#!/bin/bash
# What the tests need of the host: on Debian as root it is installed, anywhere else it is named.
# Silent and instant when everything is there. Everything else lives in the tools tree.
set -euo pipefail

# package:file that proves it
needs=(mmdebstrap:/usr/bin/mmdebstrap gcc:/usr/bin/gcc libc6-dev:/usr/include/stdlib.h
    libudev-dev:/usr/include/libudev.h pkg-config:/usr/bin/pkg-config
    util-linux:/usr/bin/unshare mount:/usr/bin/mount)

missing=()
for need in "${needs[@]}"; do
    [ -e "${need#*:}" ] || missing+=("${need%%:*}")
done

problems=()
if [ ${#missing[@]} -gt 0 ]; then
    # shellcheck source=/dev/null
    id=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}")
    if [ "$(id -u)" = 0 ] && [[ $id =~ ^debian\ (12|13)$ ]]; then
        echo "Installing ${missing[*]} …" >&2
        export DEBIAN_FRONTEND=noninteractive
        log=$(mktemp)
        if { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
            rm -f "$log"
        else
            tail -n 15 "$log" >&2
            problems+=("apt-get could not install: ${missing[*]} (all of its output: $log)")
        fi
    else
        problems+=("packages (Debian's names): ${missing[*]}")
    fi
fi

PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml")
found=$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)
if ! command -v cargo >/dev/null || ! printf '%s\n%s\n' "$wanted" "${found:-0}" | sort -C -V; then
    problems+=("a Rust toolchain, $wanted or newer (found: ${found:-none}): rustup, from rustup.rs, brings one")
fi
[ "$(id -u)" = 0 ] || problems+=("root: disks are mounted and containers started")
if [ "$(id -u)" = 0 ]; then
    for module in loop btrfs overlay; do modprobe -q "$module" 2>/dev/null || true; done
    [ -e /dev/loop-control ] || problems+=("loop devices (/dev/loop-control)")
    for fs in btrfs overlay; do
        grep -qw "$fs" /proc/filesystems || problems+=("a kernel with the file system $fs")
    done
fi

if [ ${#problems[@]} -gt 0 ]; then
    echo "This machine cannot run the tests yet. Missing:" >&2
    printf '  - %s\n' "${problems[@]}" >&2
    exit 1
fi
