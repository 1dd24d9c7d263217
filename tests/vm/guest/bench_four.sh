# SPDX-License-Identifier: MIT
# Four simulated USB cameras at once, MJPEG 640x480 at 30 frames/s, two captured and two tapped; all
# frames pass and are read. SECONDS. Nothing may be lost in the module: no OVERRUN, no LATE.
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; LENGTH comes from outside
. /root/module.sh
set -e
modprobe -a vhci_hcd uvcvideo
# Opening several cameras that sleep at one moment disturbs vhci (docs/camsim.md).
echo -1 >/sys/module/usbcore/parameters/autosuspend
for n in 0 1 2 3; do
	sluice-camsim --serial "four$n" --loop forever /root/four.roll >/tmp/camsim$n 2>&1 &
	eval camsim$n=$!
	# A camera has two nodes; the second is for metadata.
	wait_for 30 test -e /dev/video$((2 * n + 1))
done
modprobe sluice
for n in 0 1 2 3; do
	v4l2-ctl -d /dev/video$((2 * n)) --get-fmt-video >/dev/null
	mode=capture
	[ $n -lt 2 ] || mode=tap
	control attach /dev/video$((2 * n)) $mode name=four$n $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
	ringread /dev/sluice$n seconds=600 until-end >/tmp/read$n &
	eval reader$n=$!
done
for n in 2 3; do
	timeout 600 v4l2-ctl -d /dev/video$((2 * n)) --stream-mmap=8 --stream-count=1000000 >/tmp/app$n 2>&1 &
	eval app$n=$!
done
first=$(cut -d. -f1 /proc/uptime)
enough() {
	for n in 0 1 2 3; do
		[ "$(control get four$n | sed -n 's/^delivered=//p')" -ge $FRAMES ] || return 1
	done
}
wait_for 500 enough
echo "four seconds $(($(cut -d. -f1 /proc/uptime) - first))"
for n in 0 1 2 3; do
	check_ledger four$n
	for r in delivered passed count16 count24 count25 count26 count27; do echo "four camera${n}_$r $(value $r /tmp/ledger)"; done
	same "OVERRUN of camera $n" "$(value count24 /tmp/ledger)" 0
	same "LATE of camera $n" "$(value count25 /tmp/ledger)" 0
	same "CORRUPT of camera $n" "$(value count16 /tmp/ledger)" 0
	[ $n -lt 2 ] || eval kill "\$app$n"
	control detach four$n
	eval wait "\$reader$n" || fail "reader $n: $(tail -n 3 /tmp/read$n)"
	same "wrong records of camera $n" "$(value wrong /tmp/read$n)" 0
done
for n in 0 1 2 3; do eval kill "\$camsim$n"; done
wait || true
rmmod sluice
