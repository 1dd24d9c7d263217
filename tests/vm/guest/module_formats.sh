# SPDX-License-Identifier: MIT
# Formats and memory. Five vivids: video0 and video1 with vmalloc buffers, the others with DMA ones
# (dma-contig); 1 and 3 are multi-planar.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe vivid n_devs=5 node_types=0x1,0x1,0x1,0x1,0x1 \
	multiplanar=1,2,1,2,1 allocators=0,0,1,1,1 no_error_inj=1
modprobe sluice
size=640x360
for d in 0 1 2 3 4; do
	# No clock in the picture: then each is the same, and one is as good as the next.
	v4l2-ctl -d $d -c osd_text_mode=2 || fail "video$d"
	v4l2-ctl -d $d --set-fmt-video=width=640,height=360 >/dev/null || fail "video$d"
	camapp /dev/video$d frames=0 fps=25 >/tmp/app || fail "video$d: $(cat /tmp/app)"
done

# $1: device; $2: fourcc; $3: extra bytes a line (0: packed). Sets $stride.
set_format() {
	more=
	v4l2-ctl -d $1 --set-fmt-video=width=640,height=360,pixelformat=$2 >/dev/null || fail "$2"
	stride=$(v4l2-ctl -d $1 --get-fmt-video | sed -n 's/.*Bytes per Line *: *//p' | head -n 1)
	[ $3 = 0 ] || more=,bytesperline=$((stride + $3))
	v4l2-ctl -d $1 --set-fmt-video=width=640,height=360,pixelformat=$2$more >/dev/null
	v4l2-ctl -d $1 --get-fmt-video >/tmp/fmt
	grep -q "'$2'" /tmp/fmt || fail "vivid has no $2: $(cat /tmp/fmt)"
	stride=$((stride + $3))
	grep -q "Bytes per Line *: $stride\$" /tmp/fmt || fail "$2 has no stride of $stride: $(cat /tmp/fmt)"
}

# $1: device; $2: fourcc; $3: extra bytes a line; $4: fourcc in the ring. The picture as an application
# sees it; then the module's own stream under a mask of the left half; then, with $5, a tap, with a
# moving clock.
try_format() {
	set_format $1 $2 $3
	camapp /dev/video$1 frames=2 repack=$stride to=/tmp/plain >/tmp/app || fail "$2: $(cat /tmp/app)"
	control attach /dev/video$1 capture grid=80x45 privacy=left $all_pass >/tmp/attach ||
		fail "$2: $(cat /tmp/attach)"
	same "$2 in the ring" "$(value format /tmp/attach)" $4
	ringread /dev/sluice0 frames=2 seconds=30 dump=/tmp/ring >/tmp/read || fail "$2: $(cat /tmp/read)"
	check_ledger 0
	same "$2 corrupt" "$(value count16 /tmp/ledger)" 0
	control detach 0
	pixels masked $4 $size $stride /tmp/plain /tmp/ring left >/tmp/pixels || fail "$2+$3: $(cat /tmp/pixels)"
	[ -z "$5" ] || try_tap $1 $2 3 repack=$stride
	echo "video$1 $2 stride $stride: as the application saw it, also under a mask${5:+, and tapped}"
}

# $1: device; $2: name for messages; $3: frames; $4: more words for the application.
try_tap() {
	v4l2-ctl -d $1 -c osd_text_mode=0
	control attach /dev/video$1 tap $all_pass >/tmp/attach || fail "$2 tap: $(cat /tmp/attach)"
	ringread /dev/sluice0 frames=$3 seconds=30 dump=/tmp/ring >/tmp/read &
	reader=$!
	timeout 30 camapp /dev/video$1 frames=$3 to=/tmp/app $4 >/tmp/camapp || fail "$2: $(cat /tmp/camapp)"
	wait $reader || fail "$2 tap: $(cat /tmp/read) $(control get 0)"
	cmp /tmp/app /tmp/ring || fail "$2 $4: the ring has other bytes than the application"
	check_ledger 0
	nothing_lost
	control detach 0
	v4l2-ctl -d $1 -c osd_text_mode=2
}

for f in YUYV UYVY NV12 NV21 YU12 GREY RGB3 BGR3; do
	try_format 0 $f 0 $f
done
for f in YUYV NV12 RGB3; do
	try_format 0 $f 64 $f tap
done
for f in NM12/NV12 NM21/NV21 YM12/YU12 NV12/NV12 GREY/GREY; do
	try_format 1 ${f%/*} 0 ${f#*/}
done
try_format 1 NM12 64 NV12 tap
try_format 1 YM12 64 YU12 tap
# Memory that a device writes: the driver's own MMAP buffers.
try_format 2 YUYV 0 YUYV tap
try_format 3 NM12 0 NV12 tap

# Others are named.
set_format 1 NM16 0
refused "EOPNOTSUPP pixel format NM16 is not supported" control attach /dev/video1 capture
refused "EOPNOTSUPP pixel format NM16 is not supported" control attach /dev/video1 tap
set_format 0 422P 0
refused "EOPNOTSUPP pixel format 422P is not supported" control attach /dev/video0 capture

# USERPTR and DMABUF, where the driver's own CPU writes them.
set_format 0 YUYV 0
set_format 1 NM12 0
set_format 2 YUYV 0
set_format 3 NM12 0
try_tap 0 USERPTR 5 mem=user
try_tap 1 USERPTR 5 mem=user
try_tap 0 DMABUF 5 "mem=dmabuf export=/dev/video2"
try_tap 1 DMABUF 5 "mem=dmabuf export=/dev/video3"
echo "USERPTR and DMABUF of vmalloc drivers: as the application saw it"

# Where a device writes them they are refused by name, counted as LATE, and the application goes on.
set_format 4 YUYV 0
control attach /dev/video2 tap $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
control events 60 >/tmp/events &
events=$!
wait_for 3 grep -q listening /tmp/events
timeout 30 camapp /dev/video2 frames=5 mem=dmabuf export=/dev/video4 >/tmp/camapp || fail "$(cat /tmp/camapp)"
check_ledger 0
[ "$(value count25 /tmp/ledger)" -ge 4 ] || fail "DMABUF frames are not LATE: $(cat /tmp/ledger)"
same "passed" "$(value passed /tmp/ledger)" 0
wait_for 5 grep -qx event=11 /tmp/events
same "refused once" "$(grep -cx event=11 /tmp/events)" 1
dmesg | grep -q 'sluice: cam0: DMABUF buffers of this driver' || fail "the log does not name the memory"
control detach 0
kill $events
wait $events || true
rmmod sluice
rmmod vivid
