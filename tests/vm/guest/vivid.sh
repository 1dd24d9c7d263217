# SPDX-License-Identifier: MIT
# The stock driver vivid streams to the stock v4l2-ctl: the machinery of these tests works.
# Webcam input at 640x360, its own rate: frames must differ, and each must be of full size.
set -e
. /root/lib.sh
load_vivid
v4l2-ctl -d /dev/video0 --set-fmt-video=width=640,height=360,pixelformat=YUYV --set-parm=25
timeout 60 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=10 --stream-to=/tmp/frames
size=$((640 * 360 * 2))
[ "$(stat -c %s /tmp/frames)" -eq $((size * 10)) ] || fail "not 10 full frames"
for n in 0 4 9; do
	dd if=/tmp/frames bs=$size skip=$n count=1 2>/dev/null | md5sum
done | sort -u >/tmp/sums
[ "$(wc -l </tmp/sums)" -eq 3 ] || fail "frames 0, 4 and 9 are not all different"
v4l2-ctl -d /dev/video0 --get-fmt-video >/out/format
