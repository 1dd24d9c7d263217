# SPDX-License-Identifier: MIT
# A bad camera: cut and random JPEGs, bad buffers, a failed transfer, silence. Everything is counted
# under its reason; what does not parse passes.
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; ROLL comes from outside
. /root/module.sh
set -e
modprobe -a vhci_hcd
modprobe uvcvideo nodrop=1
sluice-camsim --log /tmp/camsim.jsonl --loop forever --control /tmp/ctl \
	-F trunc:20,random:25,pad:30,size:35,err:40,over:45,urbstatus:70 "/root/$ROLL" >/tmp/camsim.out 2>&1 &
camsim=$!
wait_for 30 test -e /dev/video0
modprobe sluice
control events 60 >/tmp/events &
events=$!
wait_for 3 grep -q listening /tmp/events
control attach /dev/video0 capture $all_pass 16=1500 >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=150 seconds=100 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
check_ledger 0
grep -E '^(count|delivered|passed|pending)' /tmp/ledger
same "CORRUPT (cut, random, other size)" "$(value count16 /tmp/ledger)" 3
same "corrupt records" "$(grep -c reason=16 /tmp/list)" 3
[ "$(value count27 /tmp/ledger)" -ge 6 ] || fail "ERRORFLAG: err, over and the buffers of a failed transfer"
same "OVERRUN" "$(value count24 /tmp/ledger)" 0
same "epochs" "$(cut -d' ' -f1 /tmp/list | sort -u | wc -l)" 1

# Silence: a stall, and its end.
sluice-camsim --tell /tmp/ctl pause
wait_for 10 grep -qx event=4 /tmp/events
control get 0 >/tmp/get
same "stalled" "$(($(value state /tmp/get) & 9))" 9
sluice-camsim --tell /tmp/ctl resume
wait_for 10 grep -qx event=5 /tmp/events
control get 0 >/tmp/get
same "resumed" "$(($(value state /tmp/get) & 9))" 1
ringread /dev/sluice0 frames=20 seconds=60 >/tmp/read || fail "$(cat /tmp/read)"

# MJPEG cannot be masked.
refused "EOPNOTSUPP raw format" control mask 0 privacy=all
kill $camsim
wait $camsim || true
wait_for 10 grep -qx event=6 /tmp/events
control detach 0
kill $events
wait $events || true
rmmod sluice
