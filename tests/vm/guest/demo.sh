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

# In tap mode the roll is played on, so that v4l2-ctl gets its number of frames whatever happens.
case "$MODE" in
capture) plug_camsim /share/clip.roll ;;
tap) plug_camsim --loop 2 /share/clip.roll ;;
esac
sluicectl attach /dev/video0 --mode "$MODE" --name front || fail "the camera cannot be attached"
say "front: $(v4l2-ctl -d /dev/video0 --info | sed -n 's/^[[:space:]]*Card type[^:]*: //p') is attached, mode $MODE"

# --once: it ends when the ring has ended, everything is stored, and the cloud has said that no summary
# is to come any more.
sluice-relay --once --events --cloud "$URL" --device /dev/sluice0 >/out/events.jsonl 2>/out/relay.log &
relay=$!

# One line every ten seconds of the camera's time, until the command that is given ends.
ledger_line() {
	sluicectl stats front | awk '
		/frames delivered/ { d = $2 }
		$1 == "passed" || $1 == "dropped" || $1 == "lost" { n[$1] = $2 }
		END { printf "demo: %d frames: %d passed, %d held back, %d lost\n", d, n["passed"], n["dropped"], n["lost"] }'
}
# What came down the link since the last look.
told=0
tell_events() {
	lines=$(wc -l </out/events.jsonl)
	[ "$lines" -gt "$told" ] || return 0
	tail -n +$((told + 1)) /out/events.jsonl | sed -n \
		-e 's/^{"event":.*"start_s":\([0-9]*\.\{0,1\}[0-9]\{0,1\}\).*/demo: from the cloud: something has moved since second \1/p' \
		-e 's/^{"summary":.*"path":"\([^"]*\)".*/demo: from the cloud: a summary, now in \1/p'
	told=$lines
}
run_is_over() {
	tell_events
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
# What v4l2-ctl writes goes to memory first: on /out each write waits for the host's disk, and while
# the application waits, no buffer goes back to the driver, which then drops frames.
if [ "$MODE" = tap ]; then
	v4l2-ctl -d /dev/video0 --stream-mmap=32 --verbose --stream-count="$FRAMES" --stream-to=/tmp/stream \
		>/tmp/v4l2.log 2>&1 &
	app=$!
fi
wait_until 100000 run_is_over
if [ "$MODE" = tap ]; then
	wait $app || fail "v4l2-ctl failed: $(tail -n 1 /tmp/v4l2.log)"
fi
ledger_line
say "the clip is over; what is still on its way is waited for"

# The stream ends with the camera's leaving; the relay sends what is left of it.
sluicectl detach front || fail "the camera cannot be detached"
relay_is_over() {
	tell_events
	! kill -0 $relay 2>/dev/null
}
wait_until 120 relay_is_over || fail "the relay does not end: $(tail -n 3 /out/relay.log)"
wait $relay || fail "the relay failed: $(tail -n 3 /out/relay.log)"
tell_events
unplug_camsim
rmmod sluice || fail "sluice.ko cannot be removed"

[ "$MODE" != tap ] || hand_over /tmp/stream /tmp/v4l2.log
cp /var/lib/sluice/ledger.json /out/
[ ! -d /var/lib/sluice/summaries ] || cp -r /var/lib/sluice/summaries /out/
