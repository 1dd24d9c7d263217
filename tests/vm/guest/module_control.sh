# SPDX-License-Identifier: MIT
# What people ask of the module, and what it refuses: each bad request has an errno and a text, and
# changes nothing.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe vivid n_devs=2 node_types=0x101,0x1 no_error_inj=1
cam=/dev/video0 output=/dev/video1 cam2=/dev/video2
grep -q vid-out /sys/class/video4linux/video1/name || fail "video1 is not the output"
for c in $cam $cam2; do
	v4l2-ctl -d $c --set-fmt-video=width=640,height=480,pixelformat=YUYV --set-parm=$vivid_fps >/dev/null
done
modprobe sluice
control events 400 >/tmp/events &
events=$!
wait_for 3 grep -q listening /tmp/events

# Who may.
chmod 666 $cam
refused "EPERM" control as=1000 attach $cam capture
refused "EPERM" control as=1000 detach 0
refused "EPERM" control as=1000 events 1
control as=1000 dump || fail "anybody may look"

# What is no camera.
refused "ENOTTY not a video node" control attach /dev/null capture
refused "ENOTTY not a video node" control attach /etc/passwd capture
refused "ENOTTY not a capture device" control attach $output capture
refused "EACCES open the video node" control attach $cam capture ro
refused "EBADF not open" control raw 2 5=999 4=2
refused "EINVAL needs an open video node" control raw 2 4=2
# Values and attributes.
refused "ERANGE" control raw 2 5=0 4=3
refused "ERANGE" control attach $cam capture arena=4096
refused "EINVAL letters, digits" control attach $cam capture "name=a b"
refused "EINVAL" control attach $cam capture name=a123456789012345678901234567890123456789
refused "ERANGE rate_mfps" control attach $cam capture 11=999999
refused "ERANGE preset" control attach $cam capture 2=3
refused "EINVAL" control attach $cam capture 1=5
refused "EINVAL" control raw 1 2=0 14=1
refused "EINVAL" control raw 1 2=0 99=1
refused "EINVAL name a camera" control raw 1
refused "EOPNOTSUPP" control raw 99 2=0
refused "ERANGE" control get 16
refused "ENODEV" control get nobody
refused "ENODEV" control detach 3
# The camera's own state.
v4l2-ctl -d $cam --set-fmt-video=width=640,height=480,pixelformat=RGBP >/dev/null
refused "EOPNOTSUPP pixel format RGBP is not supported" control attach $cam capture
refused "EOPNOTSUPP pixel format RGBP is not supported" control attach $cam tap
v4l2-ctl -d $cam --set-fmt-video=width=640,height=480,pixelformat=YUYV >/dev/null
timeout 60 v4l2-ctl -d $cam --stream-mmap --stream-count=10000 >/dev/null 2>&1 &
app=$!
sleep 1
refused "EBUSY the camera is busy" control attach $cam capture
kill -0 $app || fail "the application was disturbed"
kill $app
wait $app || true
same "cameras after all that" "$(control dump | grep -c ^camera=)" 0

# Two cameras; one goes between two looks.
control attach $cam capture name=left $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
control attach $cam2 capture name=right >/tmp/attach || fail "$(cat /tmp/attach)"
same "dump" "$(control dump | grep ^name= | tr '\n' ' ')" "name=left name=right "
refused "ENODEV" control raw 1 2=7
control detach left
same "dump" "$(control dump | grep ^name= | tr '\n' ' ')" "name=right "
control attach $cam capture name=left $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
same "index of the free slot" "$(value camera /tmp/attach)" 0
control detach right

# Settings: all or nothing, versioned, told in the control page and the records.
same "version" "$(value setting1 /tmp/attach)" 1
control set left if=1 2=2 >/tmp/set || fail "$(cat /tmp/set)"
same "version" "$(value setting1 /tmp/set)" 2
same "preset" "$(value setting2 /tmp/set)" 2
refused "ESTALE version 2" control set left if=1 2=0
refused "ERANGE postroll_ms" control set left 12=1000 13=99999
refused "EINVAL" control set left
control set left if=2 13=7000 3=2048 >/tmp/set || fail "$(cat /tmp/set)"
same "preset of single values" "$(value setting2 /tmp/set)" 4294967295
same "pre-roll after a refused set" "$(value setting12 /tmp/set)" 5000
same "post-roll" "$(value setting13 /tmp/set)" 7000

control detach left
control attach $cam capture name=left $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"

# Privacy: what is covered never reaches the ring. YUYV: luma 16, chroma 128.
refused "EINVAL needs 600" control mask left privacy=short
refused "ESTALE" control mask left if=2 privacy=all
control mask left if=1 privacy=all >/tmp/set || fail "$(cat /tmp/set)"
ringread /dev/sluice0 seconds=2 >/dev/null || fail "drain"
ringread /dev/sluice0 frames=3 seconds=30 dump=/tmp/dark list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
same "masked pixels" "$(od -An -v -tx1 -w2 /tmp/dark | sort -u | tr -d '\n')" " 10 80"
awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^flags=/) { sub("flags=", "", $i); if (int($i / 16) % 2 != 1) exit 1 } }' /tmp/list ||
	fail "records do not say MASKED"
control mask left privacy=none >/tmp/set || fail "$(cat /tmp/set)"
ringread /dev/sluice0 seconds=2 >/dev/null || fail "drain"
ringread /dev/sluice0 frames=1 seconds=30 dump=/tmp/bright >/tmp/read || fail "$(cat /tmp/read)"
[ "$(od -An -v -tx1 -w2 /tmp/bright | sort -u | wc -l)" -gt 4 ] || fail "still dark"
control mask left thresholds=0 >/tmp/set || fail "$(cat /tmp/set)"

# A snapshot passes at once. An all-covering mask can come with the attach.
control snapshot left
# A slow guest has older records to read first.
snapshots=0
for n in 1 2 3 4 5 6 7 8; do
	ringread /dev/sluice0 seconds=3 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
	snapshots=$((snapshots + $(grep -c reason=15 /tmp/list || true)))
	[ $snapshots -eq 0 ] || break
done
same "snapshots" $snapshots 1
control detach left
control attach $cam capture name=left grid=80x60 privacy=all $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=3 seconds=30 dump=/tmp/dark >/tmp/read || fail "$(cat /tmp/read)"
same "masked from the first frame" "$(od -An -v -tx1 -w2 /tmp/dark | sort -u | tr -d '\n')" " 10 80"
check_ledger left
control detach left

# Fifty rounds, and nothing is left behind.
free_before=$(free_kb)
for n in $(seq 50); do
	control attach $cam capture arena=4194304 >/tmp/attach || fail "attach $n: $(cat /tmp/attach)"
	control detach cam0 >/tmp/attach || fail "detach $n"
done
free_after=$(free_kb)
echo "free before $free_before kB, after fifty rounds $free_after kB"
[ $((free_before - free_after)) -lt 40000 ] || fail "memory was lost"
kill $events
wait $events || true
for e in 8 9 10; do grep -qx event=$e /tmp/events || fail "no event $e: $(cat /tmp/events)"; done
rmmod vivid

# What a camera of 640x480 costs: its arena of 32 MiB and at most 256 KiB. Averaged over eight.
modprobe vivid n_devs=8 node_types=0x1,0x1,0x1,0x1,0x1,0x1,0x1,0x1 no_error_inj=1
for n in 0 1 2 3 4 5 6 7; do
	v4l2-ctl -d /dev/video$n --set-fmt-video=width=640,height=480,pixelformat=YUYV >/dev/null
done
# What was freed a moment ago comes back late: read until two readings agree.
memory_free() {
	last=0
	for n in $(seq 20); do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		now=$(free_kb)
		[ $((now > last ? now - last : last - now)) -gt 200 ] || break
		last=$now
		sleep 1
	done
	echo "$now"
}
# A reading counts only if the memory of before is there again once the cameras are gone: what others
# had in use meanwhile, or gave back late, would be in it.
# Under checkers (KASAN's shadow of an eighth and its quarantine, kmemleak's records) only the order of
# magnitude can be told.
most=256 stray=400
[ ! -e /sys/kernel/debug/kmemleak ] || most=$((32768 / 8 + 2048)) stray=4000
for try in 1 2 3 4 5; do
	free_before=$(memory_free)
	for n in 0 1 2 3 4 5 6 7; do
		control attach /dev/video$n tap >/tmp/attach || fail "attach $n: $(cat /tmp/attach)"
	done
	free_with=$(memory_free)
	for n in 0 1 2 3 4 5 6 7; do
		control detach cam$n || fail "detach $n"
	done
	free_after=$(memory_free)
	strayed=$((free_after > free_before ? free_after - free_before : free_before - free_after))
	[ $strayed -gt $stray ] || break
	echo "free memory strayed by $strayed kB; once more"
done
[ $strayed -le $stray ] || fail "the free memory does not come to rest: $strayed kB"
cost=$(((free_before - free_with) / 8))
echo "memory of a camera: $cost kB"
[ $cost -gt 32000 ] && [ $cost -le $((32768 + most)) ] || fail "a camera costs $cost kB"
for n in 0 1 2 3 4 5 6 7; do
	control attach /dev/video$n tap >/tmp/attach || fail "attach $n: $(cat /tmp/attach)"
done
refused "ENODEV" control get 8
rmmod sluice
rmmod vivid
