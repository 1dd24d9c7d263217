#!/bin/sh
# SPDX-License-Identifier: MIT
# The real clip of opencv-doc through the simulated USB camera and the stock uvcvideo, in both modes:
# MJPEG 1280x720 and YUYV 640x480 at 30 frames/s, nothing lost in the ring; a tap of a camera that
# streams already; unplugged in mid-stream; and a camera with every fault.
set -eu
cd "$(dirname "$0")/../.."
clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
[ -r "$clip" ] || { echo "$clip is missing; make deps"; exit 77; }
tmp=${TEST_TMP:-$(mktemp -d)}
camsim=build/bin/sluice-camsim
$camsim --make-roll "$tmp/mjpeg.roll" --size 1280x720 --fps 30 --max-seconds 8 "$clip"
$camsim --make-roll "$tmp/yuyv.roll" --format yuyv --size 640x480 --fps 30 --max-seconds 4 "$clip"

# $1: guest script; $2: roll; $3: frames.
run() {
	tests/vm/module_run.sh "$1" --timeout 250 --env ROLL="$2" --env FRAMES="$3" \
		--add build/guest/sluice-camsim --add "$tmp/$2:/root/$2"
}
run uvc mjpeg.roll 150
run uvc yuyv.roll 90
run faults mjpeg.roll 0
