# SPDX-License-Identifier: MIT
# The device's half of the demo (tests/vm/demo). MODE: capture or tap; URL and TOKEN: the cloud;
# FRAMES: how many the roll has. Lines with "demo: " are for people.
set -e
. /root/lib.sh

say() { echo "demo: $*"; }

modprobe sluice || fail "sluice.ko does not load"
say "$(uname -r): sluice.ko is in, uvcvideo is the kernel's own"
sluicectl enrol "$URL" --token "$TOKEN" --dir /etc/sluice || fail "the cloud gave no certificate"
say "enrolled: the device has a key and a certificate"

cat >/etc/sluice/relay.conf <<CONF
[cloud]
url = $URL
CONF
sluice-relay --config /etc/sluice/relay.conf >/out/relay.log 2>&1 &
relay=$!

# In tap mode the roll is played on, so that v4l2-ctl gets its number of frames whatever happens.
case "$MODE" in
capture) plug_camsim /share/clip.roll ;;
tap) plug_camsim --loop 2 /share/clip.roll ;;
esac
sluicectl attach /dev/video0 --mode "$MODE" --name front || fail "the camera cannot be attached"
say "front: $(v4l2-ctl -d /dev/video0 --info | sed -n 's/^[[:space:]]*Card type[^:]*: //p') is attached, mode $MODE"

# One line every ten seconds of the camera's time, until the command that is given ends.
ledger_line() {
	sluicectl stats front | awk '
		/frames delivered/ { d = $2 }
		$1 == "passed" || $1 == "dropped" || $1 == "lost" { n[$1] = $2 }
		END { printf "demo: %d frames: %d passed, %d held back, %d lost\n", d, n["passed"], n["dropped"], n["lost"] }'
}
run_is_over() {
	kill -0 $relay || fail "the relay is gone"
	kill -0 $camsim_pid || fail "the camera is gone"
	now=$(cut -d. -f1 /proc/uptime)
	if [ "$now" -ge "$next_line" ]; then
		ledger_line
		next_line=$((now + 10))
	fi
	case "$MODE" in
	capture) grep -q '^end' /tmp/camsim ;;
	tap) ! kill -0 "$app" 2>/dev/null ;;
	esac
}
next_line=$(($(cut -d. -f1 /proc/uptime) + 10))
if [ "$MODE" = tap ]; then
	v4l2-ctl -d /dev/video0 --stream-mmap --verbose --stream-count="$FRAMES" --stream-to=/out/stream \
		>/out/v4l2.log 2>&1 &
	app=$!
fi
wait_until 100000 run_is_over
if [ "$MODE" = tap ]; then
	wait $app || fail "v4l2-ctl failed: $(tail -n 1 /out/v4l2.log)"
fi
ledger_line
say "the clip is over"

# Once the camera is detached the stream has ended: the relay sends what is left of it and closes it,
# and the cloud answers when the last summary has been sent.
sluicectl stats --json >/out/ledger.json
sluicectl detach front
