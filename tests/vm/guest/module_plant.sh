# SPDX-License-Identifier: MIT
# A short stream under a tap, and kmemleak asked while the module is still there, when it can name
# the module's functions. With a planted bug (kmod/plant.h) the kernel must complain, without one not.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
vivid_start
modprobe sluice
control attach /dev/video0 tap name=yard $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
timeout 120 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=20 --stream-to=/dev/null >/tmp/v4l2 2>&1 ||
	fail "v4l2-ctl: $(cat /tmp/v4l2)"
check_ledger 0
[ "$(value delivered /tmp/ledger)" -ge 20 ] || fail "few frames: $(cat /tmp/ledger)"
control detach yard
echo scan >/sys/kernel/debug/kmemleak
sleep 6
echo scan >/sys/kernel/debug/kmemleak
cat /sys/kernel/debug/kmemleak >/out/kmemleak-live
rmmod sluice
rmmod vivid
