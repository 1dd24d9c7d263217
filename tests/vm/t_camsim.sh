#!/bin/sh
# SPDX-License-Identifier: MIT
# Stock uvcvideo and stock v4l2-ctl on the simulated camera, with the real clip of opencv-doc: every
# frame arrives as it was sent. No part of Sluice but the camera is in it; what fails here is not
# the module's fault.
set -eu
cd "$(dirname "$0")/../.."
clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
out=build/vm/t_camsim
[ -r "$clip" ] || { echo "$clip is missing; make deps"; exit 77; }
mkdir -p build/vm
build/bin/sluice-camsim --make-roll "$TEST_TMP/clip.roll" --max-seconds 6 "$clip"
tests/vm/boot --out $out --timeout 180 --script tests/vm/guest/camsim.sh --env FRAMES=50 \
	--add build/guest/sluice-camsim --add "$TEST_TMP/clip.roll:/root/clip.roll"
build/tests/app_frames $out/camsim.jsonl $out/v4l2.log $out/stream
rm -f $out/stream
