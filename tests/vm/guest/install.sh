# SPDX-License-Identifier: MIT
# CASE open: a kernel that asks for no signatures. enforced, locked: two ways in which one does.
# shellcheck disable=SC2154 # CASE comes from outside
set -e
. /root/lib.sh
# insmod by path: what the module stands on comes first.
modprobe -a videobuf2-vmalloc videobuf2-v4l2

# $1: file; $2: what the kernel's log says then.
kept_out() {
	if insmod "$1" 2>/tmp/insmod; then fail "$1 was let in"; fi
	cat /tmp/insmod
	dmesg | tail -n 5 | grep "$2" || fail "the log does not say '$2': $(dmesg | tail -n 5)"
	[ ! -e /sys/module/sluice ] || fail "$1 is there all the same"
}
case "$CASE" in
enforced)
	kept_out /root/unsigned 'unsigned module is rejected'
	kept_out /root/signed 'module with unavailable key is rejected'
	exit 0
	;;
locked)
	kept_out /root/unsigned 'Lockdown: .*unsigned module loading is restricted'
	kept_out /root/signed 'Lockdown: .*unsigned module loading is restricted'
	exit 0
	;;
esac

insmod /root/unsigned || fail "the unsigned module does not load"
rmmod sluice
insmod /root/signed || fail "the signed module does not load"
rmmod sluice

# As on a real machine: modprobe with an options file, udev with its rule.
mkdir -p /run/udev
/root/systemd-udevd --daemon || fail "no udevd"
modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
modprobe sluice
[ "$(cat /sys/module/sluice/parameters/scalar)" = Y ] || fail "the option did not reach the module"
control attach /dev/video0 tap >/tmp/attach || fail "$(cat /tmp/attach)"
udevadm settle
wait_until 10 [ "$(stat -c %G:%a /dev/sluice0)" = video:660 ] || fail "the node is $(stat -c %A:%U:%G /dev/sluice0)"
control detach 0
udevadm control --exit
rmmod sluice
