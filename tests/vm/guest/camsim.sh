# SPDX-License-Identifier: MIT
# The simulated camera on the stock uvcvideo, streamed by the stock v4l2-ctl. FRAMES: how many.
set -e
modprobe -a vhci_hcd uvcvideo
sluice-camsim --log /out/camsim.jsonl /root/clip.roll >/tmp/camsim &
camsim=$!
n=0
until [ -e /dev/video0 ]; do
	kill -0 $camsim
	n=$((n + 1))
	[ $n -lt 300 ] || { echo "no /dev/video0 after 30 s"; exit 1; }
	sleep 0.1
done
v4l2-ctl -d /dev/video0 --all | head -5
timeout 100 v4l2-ctl -d /dev/video0 --stream-mmap --verbose --stream-count="$FRAMES" \
	--stream-to=/out/stream >/out/v4l2.log 2>&1 || { tail -3 /out/v4l2.log; exit 1; }
kill $camsim
wait $camsim || true
cat /tmp/camsim
