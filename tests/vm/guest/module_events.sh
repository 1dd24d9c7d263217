# SPDX-License-Identifier: MIT
# Each event of the group once, when it should come and only then, as sluicectl watch tells it; the
# tracepoints against the ledger; debugfs; latency histograms; and a reader that writes nonsense while
# the camera streams. SEED.
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; SEED comes from outside
. /root/module.sh
set -e
# What was told, and each verdict, tell why it failed.
left() { cp /tmp/watch /tmp/list /sys/kernel/tracing/trace /out/ 2>/dev/null || true; }
trap left EXIT
# A picture that stands still, and a square in it that can be shown.
modprobe vivid n_devs=2 node_types=0x1,0x1 no_error_inj=1
cam=/dev/video0
# The camera is tapped, so that its application can be stopped like one that hangs.
for c in /dev/video0 /dev/video1; do
	v4l2-ctl -d $c --set-fmt-video=width=640,height=360,pixelformat=YUYV --set-parm=15 >/dev/null
	v4l2-ctl -d $c --set-ctrl=test_pattern=10,osd_text_mode=2 >/dev/null || v4l2-ctl -d $c --list-ctrls-menus
done
modprobe sluice
dmesg -c >/dev/null
sluicectl watch --json >/tmp/watch 2>/tmp/watch.err &
watch=$!
told() { grep -c "\"camera\":\"$1\",\"event\":\"$2\"" /tmp/watch || true; }
# $1: event; $2: how often by now.
once() {
	tries=$((150 * ${GUEST_SLOWER:-1}))
	until [ "$(told yard $1)" -ge "$2" ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "no event $1: $(cat /tmp/watch /tmp/watch.err)"
		sleep 0.1
	done
}
# It listens once it has told of something.
heard() { sluicectl attach $cam --mode tap --name try >/dev/null && sluicectl detach try >/dev/null && [ "$(told try attached)" -ge 1 ]; }
wait_for 10 heard

# --- tracepoints, from the first frame to the last
trace=/sys/kernel/tracing
echo 0 >$trace/tracing_on
# With record-cmd an enabled event patches __schedule(), which every CPU runs all the time. QEMU's TCG with
# a thread a CPU may go on running the breakpoint of such a patch for ever, on all CPUs. Our own
# tracepoints are patched while no camera streams, so nobody is in them.
echo 0 >$trace/options/record-cmd
echo 16384 >$trace/buffer_size_kb
echo 1 >$trace/events/sluice/enable
: >$trace/trace
echo 1 >$trace/tracing_on

# A square that stands still is no motion any more after a second. The post-roll must outlast the time
# that a starved guest takes to see that the gate has opened, and to take the square away.
roll=$((4 * ${GUEST_SLOWER:-1})) stall=$((2 * ${GUEST_SLOWER:-1}))
sluicectl attach $cam --mode tap --name yard --arena 8 stall=$stall postroll=$roll keepalive=0 audit=0 rate=5 warmup=1 >/dev/null
once attached 1
v4l2-ctl -d $cam --stream-mmap --stream-count=100000 >/tmp/app 2>&1 &
app=$!
count_of() { control get yard | sed -n "s/^count$1=//p" | grep . || echo 0; }
quiet() { [ "$(count_of 1)" -gt 0 ] || [ "$(control get yard | sed -n 's/^pending=//p')" -gt 15 ]; }
ringread /dev/sluice0 seconds=600 until-end list=/tmp/list >/tmp/read &
reader=$!
wait_for 60 quiet
same "motion before anything moved" "$(told yard motion_start)" 0

# Motion: a square comes, and goes after a while. The gate opens once and closes once. The square is a
# quarter of the picture: when it has stood for five seconds it is the scene, and going is another
# motion. A starved guest may need as long to take it away; then it was another experiment.
hundredths() { sed 's/\.//; s/ .*//' /proc/uptime; }
closed() { [ $(($(control get yard | sed -n s/^state=//p) & 1)) = 0 ]; }
for try in 1 2 3 4 5; do
	opened=$(told yard motion_start) shut=$(told yard motion_end) scenes=$(told yard scene_change)
	began=$(hundredths)
	v4l2-ctl -d $cam --set-ctrl=show_square=1 >/dev/null
	once motion_start $((opened + 1))
	v4l2-ctl -d $cam --set-ctrl=show_square=0 >/dev/null
	stood=$(($(hundredths) - began))
	once motion_end $((shut + 1))
	[ $stood -ge 400 ] || break
	echo "try $try: the square stood for $stood hundredths"
	wait_for 60 closed
done
[ $stood -lt 400 ] || fail "this guest cannot take a square away within four seconds"
same "motions" "$(told yard motion_start) $(told yard motion_end)" "$((opened + 1)) $((shut + 1))"

# The whole picture changes.
same "scene changes before" "$(told yard scene_change)" $scenes
v4l2-ctl -d $cam --set-ctrl=test_pattern=11 >/dev/null
once scene_change $((scenes + 1))
once motion_end $((shut + 2))
same "scene changes" "$(told yard scene_change)" $((scenes + 1))

# An application that hangs: a stall, once; then it goes on.
kill -STOP $app
once stall 1
sleep $((stall + 1))
same "stalls" "$(told yard stall)" 1
same "resumed before it went on" "$(told yard resumed)" 0
kill -CONT $app
once resumed 1

# Settings.
sluicectl set yard keepalive=30 >/dev/null
once settings 1
sluicectl mask yard --ignore '0,0 64,0 64,64' >/dev/null
once settings 2
if sluicectl set yard --if-version=1 rate=1 >/dev/null 2>&1; then fail "a stale set went through"; fi

# A format that Sluice does not know, and one that it does.
kill $app
wait $app || true
v4l2-ctl -d $cam --set-fmt-video=width=640,height=360,pixelformat=RGBP >/dev/null
timeout 60 v4l2-ctl -d $cam --stream-mmap --stream-count=5 >/dev/null 2>&1 || fail "RGBP"
once refused 1
grep -q '"event":"refused","format":"RGBP"' /tmp/watch || fail "REFUSED does not name the format"
v4l2-ctl -d $cam --set-fmt-video=width=640,height=360,pixelformat=YUYV >/dev/null

# A ring that nobody reads: one event for the whole series.
kill $reader
wait $reader || true
sluicectl set yard warmup=60 rate=0 >/dev/null
same "overruns before" "$(told yard overrun)" 0
timeout 90 v4l2-ctl -d $cam --stream-mmap --stream-count=60 >/dev/null 2>&1 || fail "stream"
once overrun 1
[ "$(count_of 24)" -gt 5 ] || fail "only $(count_of 24) frames were lost to a full ring"
same "overruns" "$(told yard overrun)" 1

# --- tracepoints: each verdict of the ledger once, each loss as well, each record
wait_for 10 closed
echo 0 >$trace/tracing_on
check_ledger yard
grep -q 'entries-in-buffer/entries-written: \([0-9]*\)/\1 ' $trace/trace || fail "the trace has lost lines: $(grep entries $trace/trace)"
grep 'sluice_verdict:' $trace/trace | sed 's/.*reason=//' | sort -n | uniq -c | awk '{ print "count" $2 "=" $1 }' | sort >/tmp/traced
# A gap in the driver's numbers was never a frame, so it has no verdict.
grep '^count' /tmp/ledger | grep -v '^count26=' | sort >/tmp/counted
cmp /tmp/traced /tmp/counted || fail "traced: $(tr '\n' ' ' </tmp/traced) counted: $(tr '\n' ' ' </tmp/counted)"
lost=$(($(value lost /tmp/ledger) - $(value count26 /tmp/ledger)))
same "sluice_lost" "$(grep -c 'sluice_lost:' $trace/trace)" $lost
same "sluice_commit" "$(grep -c 'sluice_commit:' $trace/trace)" "$(value passed /tmp/ledger)"
echo 0 >$trace/events/sluice/enable
wc -l </tmp/traced

# --- debugfs: for root only, the ledger of netlink, bounded
debug=/sys/kernel/debug/sluice/0
same "files" "$(ls $debug | tr '\n' ' ')" "camera latency ledger settings "
for f in camera latency ledger settings; do
	same "mode of $f" "$(stat -c '%a %u' $debug/$f)" "400 0"
	[ "$(wc -l <$debug/$f)" -lt 140 ] || fail "$f is long"
done
if /root/setpriv --reuid 1000 --regid 1000 --clear-groups cat $debug/ledger >/dev/null 2>&1; then fail "anybody reads debugfs"; fi
same "delivered" "$(sed -n 's/^delivered //p' $debug/ledger)" "$(value delivered /tmp/ledger)"
awk '$1 == "delivered" { d = $2 } $1 != "delivered" && $1 !~ /^bytes/ { s += $2 } END { exit d != s }' $debug/ledger || fail "does not add up: $(cat $debug/ledger)"
same "overrun" "$(sed -n 's/^overrun //p' $debug/ledger)" "$(value count24 /tmp/ledger)"
same "rate" "$(sed -n 's/^rate_mfps //p' $debug/settings)" 0
same "name" "$(sed -n 's/^name //p' $debug/camera)" yard

# --- latency: every frame that was looked at is in it, and the same by netlink
sluicectl stats yard --latency --json >/tmp/latency
of() { awk -v w=$1 '$1 == w && $2 != "sum" { n += $3 } END { print n + 0 }' $debug/latency; }
looked=$(($(value delivered /tmp/ledger) - $(value count25 /tmp/ledger) - $(value count26 /tmp/ledger)))
same "frames with a time of work" "$(of work)" $looked
same "frames with a time since done" "$(of handled)" $looked
[ "$(of tap)" -ge $looked ] || fail "tap: $(of tap) of $looked"
[ "$(of commit)" -gt 3 ] && [ "$(of commit)" -le "$(value passed /tmp/ledger)" ] || fail "commit: $(of commit)"
for w in commit handled work tap; do
	same "$w by netlink" "$(jq ".cameras[0].latency.$w.frames" /tmp/latency)" "$(of $w)"
done
sluicectl stats yard --latency

# --- a reader that writes nonsense while frames come
sluicectl set yard stall=60 >/dev/null
v4l2-ctl -d $cam --stream-mmap --stream-count=100000 >/tmp/app 2>&1 &
app=$!
before=$(control get yard | sed -n 's/^delivered=//p')
ringattack /dev/sluice0 5 $SEED || fail "attack"
check_ledger yard
ringattack /dev/sluice0 5 $SEED arena || fail "attack on the arena"
check_ledger yard
[ "$(value delivered /tmp/ledger)" -gt "$before" ] || fail "the camera has stopped"
sed -n '/^ring/p' $debug/camera
[ "$(sed -n 's/^ring_bad_tail //p' $debug/camera)" -gt 0 ] || fail "no wrong tail was noticed"
awk '$1 == "ring_head" { h = $2 } $1 == "ring_tail" { t = $2 } $1 == "ring_records" { n = $2 }
	$1 == "ring_pages" { p = $2 } $1 == "ring_pages_used" { u = $2 } END { exit !(t <= h && h - t <= n && u <= p) }' $debug/camera ||
	fail "the ring's own words are wrong: $(cat $debug/camera)"
# An honest reader finds honest words and whole records.
ringread /dev/sluice0 frames=40 seconds=60 list=/tmp/list >/tmp/read || fail "after the attack: $(cat /tmp/read)"
same "wrong records" "$(value wrong /tmp/read)" 0
kill $app
wait $app || true
dmesg | grep -E '\] sluice' >/tmp/said || true
[ ! -s /tmp/said ] || fail "the kernel says: $(head -n 5 /tmp/said)"

# --- stats --follow ends cleanly
sluicectl stats yard --follow --json >/tmp/follow &
follow=$!
wait_for 10 sh -c '[ "$(wc -l </tmp/follow)" -ge 2 ]'
kill -TERM $follow
wait $follow || fail "stats --follow ends with $? after SIGTERM"
jq -es 'all(.[]; .version == 1 and (.cameras | length) == 1)' /tmp/follow >/dev/null || fail "follow: $(cat /tmp/follow)"

# --- unplugged, then let go; its files go with it
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
once gone 1
same "told so by debugfs" "$(sed -n 's/^state //p' $debug/camera)" 0x10
sluicectl detach yard >/dev/null
once detached 1
[ ! -e $debug ] || fail "$debug is still there"
kill -INT $watch
wait $watch || fail "watch ends with $? after SIGINT"
for e in attached refused scene_change stall resumed gone detached; do same "$e" "$(told yard $e)" 1; done
same "settings" "$(told yard settings)" 4
same "as many ends as begins" "$(told yard motion_end)" "$(told yard motion_start)"
rmmod sluice
[ ! -e /sys/kernel/debug/sluice ] || fail "/sys/kernel/debug/sluice is still there"
rmmod vivid
