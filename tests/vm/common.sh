# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the programs of this folder: where things lie, which kernel is meant, how to fail.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/sluice

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }
usage_error() { say "$@" "(see --help)"; exit 2; }

# The head comment of the calling program, without the marks, is its help text.
print_help() {
	sed -n '3,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
}

# The newest installed headers of a stock amd64 kernel (not the cloud or rt flavour).
newest_kdir() {
	local d
	d=$(printf '%s\n' /lib/modules/*[0-9]-amd64/build /usr/src/linux-headers-*[0-9]-amd64 |
		while read -r d; do [ -e "$d/Makefile" ] && readlink -f "$d"; done | sort -uV | tail -n 1)
	[ -n "$d" ] || die "no kernel headers found; install linux-headers-amd64 or name KDIR=directory"
	printf '%s\n' "$d"
}

# $1: a kernel build tree. Prints the version that modules built there load into.
kernel_release() {
	local r
	r=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$1/include/generated/utsrelease.h")
	[ -n "$r" ] || die "$1 does not say which kernel release it is of"
	printf '%s\n' "$r"
}

# Works without a lock held by a dead process: flock is dropped by the kernel.
# $1: lock name; the rest: command.
with_lock() {
	local name=$1
	shift
	mkdir -p "$cache"
	(
		flock 9
		"$@"
	) 9>"$cache/$name.lock"
}
