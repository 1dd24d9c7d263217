# SPDX-License-Identifier: MIT
# CPU time of Debian's motion, and of Sluice (kernel thread and relay), each watching the same camera
# that sees nothing move. ROLL, LENGTH: seconds of each, URL and TOKEN of the cloud. Lines for
# tests/vm/bench: "motion NAME VALUE", times in ms, from the scheduler's own clock of every task.
#
# The camera (the simulation, USB, uvcvideo's workers) and the shell that measures cost the same in each
# run, but for the host's noise: they are left out. What all other tasks spend more than beside an
# application that only takes the frames and gives them back counts as the watcher's own: so the works
# that the module gives to kernel workers are in.
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; they come from outside
. /root/module.sh
set -e
camsim_start "$ROLL"
modprobe sluice
mkdir -p /var/lib/motion /var/log/motion /etc/motion /var/lib/sluice

# Lines "pid name ns", one a task.
tasks() {
	for t in /proc/[0-9]*/task/[0-9]*; do
		read -r ns rest <$t/schedstat || continue
		p=${t#/proc/}
		echo "${p%%/*} $(tr ' ' '_' <$t/comm) $ns"
	done 2>/dev/null
}
frames() { sed -n '$s/.*"n":\([0-9]*\),.*/\1/p' /tmp/camsim.jsonl; }
# $1: name; $2: pattern (awk) of what belongs to the watcher: "pid name". Measures LENGTH seconds.
measure() {
	tasks >/tmp/t0
	f0=$(frames)
	sleep "$LENGTH"
	f1=$(frames)
	tasks >/tmp/t1
	awk -v who="$2" -v run="$1" '
		NR == FNR { was[$1 " " $2] += $3; next }
		{ is[$1 " " $2] += $3 }
		END {
			for (k in is) {
				ms = (is[k] - was[k]) / 1e6
				if (k ~ who) own += ms
				else if (k ~ / (vhci_[rt]x|sluice-camsim|kworker.*uvcvideo|sh)$/) camera += ms
				else others += ms
				split(k, w, " ")
				name[w[2]] += ms
			}
			printf "motion %s_own_ms %.1f\nmotion %s_others_ms %.1f\nmotion %s_camera_ms %.1f\n", run, own, run, others, run, camera
			for (n in name) if (name[n] > 20) printf "%s: %s %.0f ms\n", run, n, name[n]
		}' /tmp/t0 /tmp/t1
	echo "motion ${1}_frames $((f1 - f0))"
}

# An application that only takes frames.
v4l2-ctl -d /dev/video0 --stream-mmap=4 --stream-count=1000000 >/tmp/app 2>&1 &
app=$!
wait_for 30 sh -c '[ "$(wc -c </tmp/app)" -gt 5 ]'
measure plain "^$app "
kill $app
wait $app || true

# Sluice, with the relay connected.
sluicectl enrol "$URL" --token "$TOKEN" --dir /etc/sluice || fail "the cloud gave no certificate"
sluicectl attach /dev/video0 --name yard || fail "attach"
sluice-relay --cloud "$URL" --device /dev/sluice0 >/tmp/relay.out 2>/tmp/relay.log &
relay=$!
# Warmed up, what the warm-up let through is stored, and nothing has moved.
wait_for 60 sh -c 'sluicectl stats yard --json | jq -e ".cameras[0].dropped.quiet > 20" >/dev/null'
sleep 5
measure sluice "^($relay [^ ]*|[0-9]+ sluice/0)\$"
sluicectl stats yard
same "motion in a quiet scene" "$(sluicectl stats yard --json | jq '.cameras[0].passed.motion // 0')" 0
check_ledger yard
same "OVERRUN" "$(value count24 /tmp/ledger)" 0
kill $relay
wait $relay || true
tail -n 3 /tmp/relay.log
sluicectl detach yard

# motion as Debian installs it, without its web pages; a quiet scene makes it write nothing.
cat >/etc/motion/motion.conf <<-END
	daemon off
	setup_mode off
	log_file /tmp/motion.log
	log_level 6
	target_dir /tmp
	video_device /dev/video0
	width 640
	height 480
	framerate $FPS
	threshold 1500
	noise_level 32
	despeckle_filter EedDl
	minimum_motion_frames 1
	event_gap 60
	pre_capture 3
	picture_output off
	movie_output on
	webcontrol_port 0
	stream_port 0
END
# What it says tells why, should it not start.
trap 'cp /tmp/motion.log /tmp/motion.out /out/ 2>/dev/null || true' EXIT
motion -n -c /etc/motion/motion.conf >/tmp/motion.out 2>&1 &
motion=$!
wait_for 60 test -s /tmp/motion.log
wait_for 60 grep -qiE 'camera 1|selected palette' /tmp/motion.log
sleep 10
measure motion "^$motion "
kill -0 $motion || fail "motion has ended: $(tail -n 5 /tmp/motion.out /tmp/motion.log)"
kill $motion
wait $motion || true
grep -ci 'motion detected' /tmp/motion.log || true
kill $camsim
wait $camsim || true
rmmod sluice
