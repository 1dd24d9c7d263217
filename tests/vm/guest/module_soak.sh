# SPDX-License-Identifier: MIT
# What needs time: a thousand rounds of attach and detach in both modes, sixteen cameras at once.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
v4l2-ctl -d 0 --set-fmt-video=width=320,height=180,pixelformat=YUYV >/dev/null
modprobe sluice

# $1: rounds.
rounds() {
	n=0
	while [ $n -lt $1 ]; do
		mode=capture
		[ $((n % 2)) = 0 ] || mode=tap
		control attach /dev/video0 $mode arena=1048576 >/tmp/attach || fail "round $n: $(cat /tmp/attach)"
		control detach 0 >/tmp/attach || fail "round $n: $(cat /tmp/attach)"
		n=$((n + 1))
	done
}

slab_kb() { awk '$1 == "Slab:" { print $2 }' /proc/meminfo; }

# $1: command that prints kB. Its answer, once two in a row agree.
settled() {
	last=0
	for i in $(seq 20); do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		now=$($1)
		[ $((now > last ? now - last : last - now)) -gt 200 ] || break
		last=$now
		sleep 1
	done
	echo "$now"
}

rounds 50
free=$(settled free_kb) slab=$(settled slab_kb)
rounds 1000
free_after=$(settled free_kb) slab_after=$(settled slab_kb)
echo "free $free kB, after a thousand rounds $free_after kB; slab $slab kB, $slab_after kB"
# One page lost a round would be 4 MB.
[ $((free - free_after)) -lt $((free / 200)) ] || fail "memory was lost"
[ $((slab_after - slab)) -lt $((slab / 20)) ] || fail "slab has grown"
same "cameras" "$(control dump | grep -c ^camera= || true)" 0
rmmod sluice
rmmod vivid

types=0x1 n=1
while [ $n -lt 16 ]; do types=$types,0x1 n=$((n + 1)); done
modprobe vivid n_devs=16 node_types=$types no_error_inj=1
modprobe sluice
for n in $(seq 0 15); do
	v4l2-ctl -d $n --set-fmt-video=width=320,height=180,pixelformat=YUYV >/dev/null
	camapp /dev/video$n frames=0 fps=5
done
for n in $(seq 0 15); do
	mode=capture
	[ $((n % 2)) = 0 ] || mode=tap
	control attach /dev/video$n $mode arena=4194304 $all_pass >/tmp/attach || fail "camera $n: $(cat /tmp/attach)"
	ringread /dev/sluice$n seconds=1500 until-end >/tmp/read$n &
	eval reader$n=$!
	[ $mode = capture ] || camapp /dev/video$n frames=100000 >/tmp/app$n 2>&1 &
done
sixty() { [ "$(control get $n | sed -n 's/^passed=//p')" -ge 60 ]; }
for n in $(seq 0 15); do wait_for 300 sixty; done
killall camapp
# A reader that goes before its camera would leave the ring to fill.
for n in $(seq 0 15); do
	check_ledger $n
	nothing_lost
	control detach $n >/tmp/attach || fail "camera $n: $(cat /tmp/attach)"
	eval wait "\$reader$n" || fail "reader $n: $(tail -n 3 /tmp/read$n)"
	frames=$(value frames /tmp/read$n)
	[ "$frames" -ge 60 ] || fail "camera $n: $frames records"
done
echo "sixteen cameras, 60 frames each"
rmmod sluice
wait_for 10 rmmod vivid
