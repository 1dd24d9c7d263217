# SPDX-License-Identifier: MIT
# sluicectl as people use it and misuse it: no module, no camera, no permission, busy, a format that is
# not supported, wrong values, masks, and a camera that is unplugged in mid-stream.
# shellcheck disable=SC1091 # it lies there in the guest
. /root/module.sh
set -e
# Not the setpriv of busybox, which knows no users.
as_user() { /root/setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }

# $1: exit code; $2: words (fixed) of the error; the rest: a command that fails so, saying nothing on
# standard output.
refused() {
	want=$1 words=$2 rc=0
	shift 2
	"$@" >/tmp/out 2>/tmp/err || rc=$?
	same "exit code of $* ($(cat /tmp/err))" "$rc" "$want"
	grep -qF -- "$words" /tmp/err || fail "$*: does not say '$words': $(cat /tmp/err)"
	[ ! -s /tmp/out ] || fail "$*: failed, but speaks on standard output: $(cat /tmp/out)"
	echo "refused rightly: $(head -n 1 /tmp/err)"
}
# $1: expression of jq that must hold; $2: file or "-"; the rest: what it is about.
holds() { jq -e "$1" "$2" >/dev/null || fail "does not hold: $1: $(head -c 2000 "$2")"; }
# $1: camera. Leaves /tmp/stats, which must add up: every frame has one fate.
adds_up() {
	sluicectl stats "$1" --json >/tmp/stats
	holds '.cameras[0] | .delivered == .pending + ([.passed[], .dropped[], .lost[]] | add // 0)' /tmp/stats
}
no_cameras() { same "cameras" "$(sluicectl --json | jq '.cameras | length')" 0; }

# --- no module
for c in "show" "stats" "watch" "attach /dev/null" "detach x" "set x rate=1" "snapshot x" "mask x --clear"; do
	# shellcheck disable=SC2086 # words
	refused 1 "the module is not loaded: run 'modprobe sluice'" sluicectl $c
done
sluicectl doctor --json >/tmp/doctor && fail "the doctor finds nothing missing"
holds '.version == 1 and .missing > 0 and ([.checks[] | select(.verdict == "missing")] | length) == .missing' /tmp/doctor
holds '.checks[] | select(.check == "module") | .verdict == "missing" and (.text | contains("modprobe sluice"))' /tmp/doctor
holds '.checks[] | select(.check == "certificate") | .verdict == "missing" and (.text | contains("sluicectl enrol"))' /tmp/doctor
holds '.checks[] | select(.check == "camera") | .verdict == "missing" and (.text | contains("plugged in"))' /tmp/doctor

modprobe vivid n_devs=2 node_types=0x101,0x1 no_error_inj=1
cam=/dev/video0 output=/dev/video1 cam2=/dev/video2
for c in $cam $cam2; do
	v4l2-ctl -d $c --set-fmt-video=width=640,height=480,pixelformat=YUYV --set-parm=$vivid_fps >/dev/null
done
modprobe sluice

# --- words
refused 2 "no command 'atach'; see sluicectl --help" sluicectl atach $cam
refused 2 "which camera? for example: sluicectl attach /dev/video0" sluicectl attach
refused 2 "sluicectl attach: unrecognized option '--bogus'" sluicectl attach --bogus $cam
refused 2 "see sluicectl attach --help" sluicectl attach --fps 500 $cam
refused 2 "--size is WIDTHxHEIGHT" sluicectl attach --size 9x9 $cam
refused 2 "--mode is tap or capture" sluicectl attach --mode stream $cam
refused 2 "--arena is 1 to 256 MiB" sluicectl attach --arena 257 $cam
refused 2 "no --format, --size, --fps" sluicectl attach --mode tap --fps 5 $cam
refused 2 "usage: sluicectl detach CAMERA" sluicectl detach
refused 2 "usage: sluicectl set CAMERA" sluicectl set left
refused 2 "one camera at most" sluicectl show a b
sluicectl attach --help | grep -q -- '--mode tap' || fail "no help about attach"
sluicectl | grep -qF "no camera is attached; try: sluicectl attach /dev/video0" || fail "no word of what to do first"

# --- what is no camera; who may
refused 1 "cannot open /dev/video9: No such file or directory; 'v4l2-ctl --list-devices'" sluicectl attach /dev/video9
refused 1 "/dev/null is not a V4L2 device" sluicectl attach /dev/null
refused 1 "$output does not capture video (vivid)" sluicectl attach $output
chmod 660 $cam
refused 1 "cannot open $cam: Permission denied; add the user to group video" as_user sluicectl attach $cam
chmod 666 $cam
refused 1 "run it as root or give it CAP_NET_ADMIN" as_user sluicectl attach $cam
refused 1 "run it as root or give it CAP_NET_ADMIN" as_user sluicectl detach 0
refused 1 "run it as root or give it CAP_NET_ADMIN" as_user sluicectl watch
as_user sluicectl show --json >/tmp/show
holds '.version == 1 and .cameras == []' /tmp/show
chmod 660 $cam
as_user sluicectl doctor >/tmp/doctor && fail "the doctor finds nothing missing"
grep -q "$cam: Permission denied; add the user to group video" /tmp/doctor || fail "$(cat /tmp/doctor)"
grep -q "note *rights .*root" /tmp/doctor || fail "$(cat /tmp/doctor)"

# --- formats, by name
v4l2-ctl -d $cam --set-fmt-video=width=640,height=480,pixelformat=RGBP >/dev/null
refused 1 "pixel format RGBP is not supported; set YUYV" sluicectl attach $cam
refused 1 "pixel format RGBP is not supported" sluicectl attach --mode tap $cam
refused 2 "unsupported format 'h264': yuyv" sluicectl attach --format h264 $cam
refused 1 "$cam has no format MJPG, it offers" sluicectl attach --format mjpeg $cam
refused 1 "$cam has no size 100x100, the nearest is" sluicectl attach --format yuyv --size 100x100 $cam
no_cameras

# --- busy; and the advice that is given with it holds
v4l2-ctl -d $cam --set-fmt-video=width=640,height=480,pixelformat=YUYV >/dev/null
timeout 60 v4l2-ctl -d $cam --stream-mmap --stream-count=10000 >/tmp/app 2>&1 &
app=$!
wait_for 10 test -s /tmp/app
refused 1 "the camera is busy: stop the application that streams it, or use tap" sluicectl attach $cam
refused 1 "another program streams it: attach with --mode tap" sluicectl attach --format yuyv --size 640x480 $cam
kill -0 $app || fail "the application was disturbed"
no_cameras
sluicectl attach --mode tap $cam | grep -q "cam0 is attached: /dev/sluice0" || fail "no tap beside the application"
sluicectl detach cam0
kill $app
wait $app || true

# --- watch, attach, twice
refused 2 "no setting in 'bogus=1'" sluicectl attach $cam bogus=1
no_cameras
sluicectl attach $cam --name warm >/tmp/out
sluicectl watch --json >/tmp/watch &
watch=$!
# It has joined once it tells of a change.
heard() { sluicectl set warm rate=7 >/dev/null && [ -s /tmp/watch ]; }
wait_for 10 heard
sluicectl detach warm --json >/tmp/out
holds '.camera == "warm" and .done == "detached"' /tmp/out
refused 1 "no such camera is attached; 'sluicectl show' lists the cameras" sluicectl detach warm
sluicectl attach --json $cam --name left --format yuyv --size 640x480 warmup=60 rate=0 >/tmp/out
holds '.name == "left" and .index == 0 and .ring == "/dev/sluice0"' /tmp/out
ringread /dev/sluice0 until-end seconds=200 list=/tmp/list dump=/tmp/pixels >/tmp/read &
reader=$!
refused 1 "already attached as camera 0, left" sluicectl attach $cam
refused 1 "camera 0 is called left already" sluicectl attach $cam2 --name left
refused 1 "letters, digits, - and _ only" sluicectl attach $cam2 --name "le ft"
same "cameras" "$(sluicectl --json | jq -r '.cameras[].name')" left

# --- settings
refused 1 "no such camera is attached; 'sluicectl show' lists the cameras" sluicectl set nobody rate=1
refused 1 "no such camera is attached" sluicectl show nobody
refused 1 "no such camera is attached" sluicectl stats nobody --json
refused 1 "no such camera is attached" sluicectl snapshot 7
refused 2 "no setting in 'speed=1'; the settings are NAME=VALUE of:" sluicectl set left speed=1
refused 2 "rate is 0 to 240: frames a second" sluicectl set left preroll=2 rate=999
refused 2 "keepalive is 0, or 1 to 3600: seconds" sluicectl set left keepalive=0.5
refused 2 "'lots' is not a value for preroll: seconds before motion" sluicectl set left preroll=lots
refused 2 "low, medium or high" sluicectl set left preset=extreme
sluicectl show left --json >/tmp/show
holds '.name == "left" and .mode == "capture" and .format == "YUYV" and .width == 640 and .height == 480
	and .grid == [80, 60] and .ring == "/dev/sluice0" and .video == "/dev/video0" and .reader
	and .settings.preroll == 5 and .settings.warmup == 60 and .settings.version == 1' /tmp/show
sluicectl set left --if-version=1 preroll=2.5 preset=high --json >/tmp/out
holds '.camera == "left" and .settings.version == 2 and .settings.preroll == 2.5' /tmp/out
refused 1 "the settings have version 2 by now; look at them again" sluicectl set left --if-version=1 preroll=3
sluicectl show left | grep -q "preroll *2.5 " || fail "the old settings are gone: $(sluicectl show left)"

# --- masks: the left half is dark in what a reader sees, in every row, and the right half is not
refused 2 "points X,Y within 640x480" sluicectl mask left --privacy '0,0 999,0 0,300'
refused 2 "points X,Y within 640x480" sluicectl mask left --privacy '0,0 10,10'
refused 2 "usage: sluicectl mask CAMERA" sluicectl mask left --privacy
refused 2 "usage: sluicectl mask CAMERA" sluicectl mask left --hide '0,0 9,0 9,9'
refused 1 "no such camera is attached" sluicectl mask nobody --clear
sluicectl mask left --privacy '0,0 316,0 316,480 0,480' --ignore '320,0 640,0 640,40' | grep -q "masks are set" || fail "mask"
masked() { sed 's/.*flags=\([0-9]*\).*/\1/' /tmp/list | awk 'int($1 / 16) % 2 { n++ } END { exit !(n > 2) }'; }
wait_for 20 masked
whole=$(($(stat -c %s /tmp/pixels) / 614400 * 614400)) # the reader goes on writing
head -c $whole /tmp/pixels | tail -c 614400 | od -An -v -tx1 -w1280 >/tmp/rows
same "the masked half" "$(cut -c1-1920 /tmp/rows | tr ' ' '\n' | sort -u | tr '\n' ' ')" " 10 80 "
[ "$(cut -c1921- /tmp/rows | tr ' ' '\n' | sort -u | wc -l)" -gt 8 ] || fail "the other half is dark too"
# Zones: 2x2 cells of half the threshold in an ignored 4x4; the version counts.
refused 2 "FACTOR 0.0625 to 15.9" sluicectl mask left --zone 16:'0,0 9,0 9,9'
refused 2 "FACTOR 0.0625 to 15.9" sluicectl mask left --zone '0,0 9,0 9,9'
refused 2 "points X,Y within 640x480" sluicectl mask left --zone 2:'0,0 999,0 9,9'
refused 1 "look at them again" sluicectl mask left --if-version=1 --zone 2:'0,0 9,0 9,9'
version=$(sluicectl show left --json | jq .settings.version)
sluicectl mask left --if-version=$version --ignore '1,1 31,1 31,31 1,31' --zone 0.5:'1,1 15,1 15,15 1,15' >/dev/null || fail "zones"
same "version" "$(sluicectl show left --json | jq .settings.version)" $((version + 1))

# --- what the cloud asks for, as the relay takes it: within the bounds of its file, and no mask goes
config() { config_apply left "$1" "$2" >/tmp/out; }
version=$(sluicectl show left --json | jq .settings.version)
config 'rate = 1..10' "{\"request\":\"a\",\"if_version\":$version,\"settings\":{\"rate\":2.5}}"
holds ".applied and .request == \"a\" and .version == $((version + 1))" /tmp/out
config 'rate = 1..10' "{\"request\":\"b\",\"if_version\":$version,\"settings\":{\"rate\":3}}"
holds '(.applied | not) and (.reason | contains("settings have version"))' /tmp/out
config 'rate = 1..10' '{"request":"c","settings":{"rate":11}}'
holds '(.applied | not) and (.reason | contains("outside of what this device allows"))' /tmp/out
config 'rate = 1..999' '{"request":"d","settings":{"rate":999}}'
holds '(.applied | not) and (.reason | length > 0)' /tmp/out
config 'rate = 1..10' '{"request":"e","settings":{"rate":4},"privacy":[]}'
holds '(.applied | not) and (.reason | contains("device alone"))' /tmp/out
config_apply nobody 'rate = 1..10' '{"request":"f","settings":{"rate":4}}' >/tmp/out
holds '(.applied | not) and (.reason | contains("no such camera"))' /tmp/out
same "the rate" "$(sluicectl show left --json | jq .settings.rate)" 2.5
lines=$(wc -l </tmp/list)
more() { [ "$(wc -l </tmp/list)" -gt $((lines + 1)) ]; }
wait_for 20 more
tail -n 2 /tmp/list | head -n 1 | sed 's/.*flags=\([0-9]*\).*/\1/' | awk '{ exit int($1 / 16) % 2 == 0 }' || fail "the mask is gone: $(tail -n 1 /tmp/list)"
sluicectl mask left --clear --json >/tmp/out
holds '.camera == "left"' /tmp/out

# --- a snapshot is one frame
sluicectl snapshot left | grep -q "the next frame passes" || fail "snapshot"
snapped() { adds_up left && jq -e '.cameras[0].passed.snapshot == 1' /tmp/stats >/dev/null; }
wait_for 10 snapped
sluicectl stats left | grep -q "frames delivered" || fail "stats for people"
sluicectl | grep -q "^left .*capture .*video0 .*YUYV 640x480 .*streaming" || fail "$(sluicectl)"

# --- with all in place the doctor lacks only the certificate, the state and the rest of vivid
mkdir -p /var/lib/sluice
sluicectl doctor --json >/tmp/doctor && fail "no certificate, and the doctor is content"
holds '[.checks[] | select(.verdict == "missing") | .check] == ["key", "certificate"]' /tmp/doctor
sluicectl doctor --cloud https://127.0.0.1:1 >/tmp/doctor && fail "no cloud, and the doctor is content"
grep -q "missing *cloud .*does sluice-cloud run there" /tmp/doctor || fail "$(cat /tmp/doctor)"

# --- unplugged in mid-stream: the ledger still adds up, and what passed was read
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
gone() { sluicectl show left --json | jq -e '.state | contains("gone")' >/dev/null; }
wait_for 10 gone
wait $reader || fail "reader: $(tail -n 5 /tmp/read)"
adds_up left
holds '.cameras[0] | .delivered > 20 and .pending == 0 and (.lost | del(.driver)) == {}' /tmp/stats
same "frames passed, and frames read" "$(jq '.cameras[0].passed | add' /tmp/stats)" "$(wc -l </tmp/list)"
refused 1 "cannot open $cam: No such file or directory" sluicectl attach $cam
sluicectl detach left >/dev/null
no_cameras
kill -TERM $watch
wait $watch || fail "watch ends with $? after SIGTERM"
jq -es 'all(.[]; has("time") and has("camera") and (.monotonic_ns | test("^[0-9]+$")))' /tmp/watch >/dev/null ||
	fail "lines of watch: $(cat /tmp/watch)"
same "events of left" "$(jq -r 'select(.camera == "left") | .event' /tmp/watch | grep -xE 'attached|settings|gone|detached' | tr '\n' ' ')" \
	"attached settings settings settings settings settings gone detached "
rmmod sluice
rmmod vivid
