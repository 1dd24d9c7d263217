# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the programs of this folder: where things lie, which kernel is meant, how to fail.
#
# KERNEL in the environment says which kernel the whole VM suite is about: kbuild builds for it,
# image makes a guest of it, boot boots it (KERNEL=6.12 tests/run vm runs all tests on it):
#   6.1      (also when unset) the stock kernel of the installed headers
#   6.12     Debian's stock kernel of that series
#   newest   Debian's newest stock kernel, that of sid
#   DIR      (anything with a slash in it) a kernel directory that somebody made
# `tests/vm/kernel` prints the kernel directory that is meant, and makes it first if it is one of
# Debian's. A kernel directory holds:
#   release               what uname -r says in the guest
#   bzImage               boots in QEMU with a serial console and an initramfs: SERIAL_8250_CONSOLE,
#                         BLK_DEV_INITRD, DEVTMPFS, TMPFS, PROC_FS, SYSFS, DEBUG_FS, FTRACE, and
#                         virtio_pci, 9p and 9pnet_virtio, as modules or built in
#   build/                the tree (or a link to it) that `make -C build M=...` builds modules against
#   lib/modules/RELEASE/  as made by `make modules_install INSTALL_MOD_PATH=DIR`, with modules.builtin.
#                         vivid, uvcvideo, vhci-hcd and configfs users are loaded and removed by the
#                         tests, so they are modules; what they depend on can be built in. ko, ko.xz
#                         and ko.zst are read
#   make                  optional: arguments for every make that builds a module, one a line
#                         (CC=gcc-12, KCFLAGS=...; they come before those of kbuild's command line)
#   append                optional: words for the guest's command line, on one line
#   allow                 optional: one regular expression a line: lines of this kernel's own log that
#                         are no trouble (say why beside the code that writes the file)
#   optional              optional: modules of tests/vm/image's list that this kernel does without, one
#                         a line; without the file each of them must be there
# The directory is not written to, and is taken for another one when release, bzImage or build's
# Module.symvers change. Its last part is its name: the module is built in build/kmod-NAME/
# (sluice.ko), guests leave what they say in build/vm-NAME/; for 6.1 that is build/kmod and build/vm.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/sluice

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }
usage_error() { say "$@" "(see --help)"; exit 2; }

# The head comment of the calling program, without the marks, is its help text.
print_help() {
	sed -n '3,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
}

# KERNEL as it is meant.
kernel_word() { printf '%s\n' "${KERNEL:-6.1}"; }

# What a kernel adds to the names build/kmod and build/vm: nothing for the default.
kernel_suffix() {
	local k
	k=$(kernel_word)
	case "$k" in
	6.1) ;;
	*) k=${k%/}; printf -- '-%s\n' "${k##*/}" ;;
	esac
}

# Where the module for KERNEL is built.
kmod_dir() { printf '%s\n' "$top/build/kmod$(kernel_suffix)"; }

# The newest installed headers of a stock amd64 kernel (not the cloud or rt flavour). $1: of this series.
newest_kdir() {
	local d
	d=$(printf '%s\n' /lib/modules/"${1:+$1.}"*[0-9]-amd64/build /usr/src/linux-headers-"${1:+$1.}"*[0-9]-amd64 |
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
