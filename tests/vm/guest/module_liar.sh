# SPDX-License-Identifier: MIT
# A driver that misbehaves: numbers left out, buffers out of order, bad ones, and lies about their
# length; in both modes, with vmalloc and with DMA memory. Every frame has its number in every pixel.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
p=/sys/module/liar/parameters
frame=$((320 * 240 * 2))

# NAME=N...; all others 0.
behave() {
	for n in gap swap error over zero half silent; do echo 0 >$p/$n; done
	for n in "$@"; do echo ${n#*=} >$p/${n%=*}; done
}

# The pictures of /tmp/dump are each of one frame: all words of one are the same, or 0 where half of it
# never came; and those of different ones differ.
pictures() {
	pixels numbers $frame /tmp/dump >/tmp/numbers || fail "$(tail -n 1 /tmp/numbers)"
	[ "$(sort -u /tmp/numbers | wc -l)" -ge $(($(wc -l </tmp/list) - 1)) ] || fail "pictures do not differ"
}

# $1: mode; $2: frames. Leaves /tmp/list, /tmp/dump, /tmp/ledger.
see() {
	control attach $cam $1 $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
	ringread /dev/sluice0 frames=$2 seconds=60 list=/tmp/list dump=/tmp/dump >/tmp/read &
	reader=$!
	app=
	if [ $1 = tap ]; then
		camapp $cam frames=10000 >/tmp/app 2>&1 &
		app=$!
	fi
	wait $reader || fail "$1: $(cat /tmp/read) $(control get 0)"
	if [ -n "$app" ]; then
		kill -0 $app || fail "the application has ended: $(cat /tmp/app)"
		kill $app
		wait $app || true
	fi
	check_ledger 0
	same "$1: OVERRUN" "$(value count24 /tmp/ledger)" 0
	same "$1: epochs" "$(cut -d' ' -f1 /tmp/list | sort -u | wc -l)" 1
	control detach 0 >/dev/null
}

for memory in 0 1; do
	modprobe liar memory=$memory
	modprobe sluice
	wait_for 5 test -e /dev/video0
	cam=/dev/video0
	for mode in capture tap; do
		behave
		see $mode 10
		pictures
		nothing_lost
		same "lost of an honest camera" "$(value lost /tmp/ledger)" 0

		# Out of order: each frame is there once, none is taken for a gap, the epoch goes on.
		behave swap=4
		see $mode 24
		pictures
		awk 'NR > 1 && $3 < last { n++ } { last = $3 } END { exit n < 3 }' /tmp/list || fail "$mode: nothing was out of order"
		same "$mode: frames that came twice" "$(cut -d' ' -f3 /tmp/list | sort | uniq -d | wc -l)" 0
		[ "$(value count26 /tmp/ledger)" -le 1 ] || fail "$mode: order was taken for gaps: $(cat /tmp/ledger)"

		# Numbers left out are DRIVER, once they cannot come any more (64 numbers later).
		behave gap=5
		see $mode 90
		gaps=$(awk 'NR > 1 && $3 > last + 1 { n += $3 - last - 1 } { last = $3 } END { print n + 0 }' /tmp/list)
		driver=$(value count26 /tmp/ledger)
		open=$((driver + $(value pending /tmp/ledger)))
		[ $gaps -ge 12 ] || fail "$mode: the camera left nothing out"
		[ $driver -ge 3 ] && [ $open -ge $gaps ] && [ $open -le $((gaps + 6)) ] ||
			fail "$mode: $gaps gaps: $(cat /tmp/ledger)"

		behave error=4
		see $mode 12
		pictures
		[ "$(value count27 /tmp/ledger)" -ge 3 ] || fail "$mode: ERRORFLAG: $(cat /tmp/ledger)"

		# Three times the bytes that there are: read as what there is. None: ERRORFLAG. Half: CORRUPT,
		# and it passes, the rest black.
		behave over=3
		see $mode 9
		pictures
		same "$mode: sizes" "$(sed 's/.* size=\([0-9]*\).*/\1/' /tmp/list | sort -u)" $frame
		same "$mode: corrupt" "$(value count16 /tmp/ledger)" 0
		behave zero=4
		see $mode 9
		pictures
		[ "$(value count27 /tmp/ledger)" -ge 2 ] || fail "$mode: empty frames: $(cat /tmp/ledger)"
		behave half=4
		see $mode 8
		pictures
		[ "$(value count16 /tmp/ledger)" -ge 2 ] || fail "$mode: half frames: $(cat /tmp/ledger)"
		same "$mode: sizes" "$(sed 's/.* size=\([0-9]*\).*/\1/' /tmp/list | sort -u)" $frame
		echo "memory $memory, $mode: order, gaps, bad and lying buffers accounted for"
	done
	rmmod sluice
	rmmod liar
done

# A camera that falls silent, and comes back: STALLED, an event each, the same epoch.
modprobe liar
modprobe sluice
control events 20 >/tmp/events &
events=$!
wait_for 3 grep -q listening /tmp/events
for mode in capture tap; do
	behave
	control attach $cam $mode $all_pass 16=1000 >/tmp/attach || fail "$(cat /tmp/attach)"
	app=
	if [ $mode = tap ]; then
		camapp $cam frames=10000 >/tmp/app 2>&1 &
		app=$!
	fi
	ringread /dev/sluice0 frames=3 seconds=30 >/tmp/read || fail "$(cat /tmp/read)"
	: >/tmp/mark
	echo 1 >$p/silent
	wait_for 10 sh -c '[ $(($(control get 0 | sed -n s/^state=//p) & 9)) = 9 ]'
	echo 0 >$p/silent
	ringread /dev/sluice0 frames=8 seconds=30 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
	same "$mode: state after the stall" "$(($(control get 0 | sed -n s/^state=//p) & 9))" 1
	same "$mode: epochs over a stall" "$(cut -d' ' -f1 /tmp/list | sort -u | wc -l)" 1
	check_ledger 0
	same "$mode: lost" "$(value lost /tmp/ledger)" 0
	control detach 0
	if [ -n "$app" ]; then
		kill $app
		wait $app || true
	fi
done
kill $events
wait $events || true
same "stalls" "$(grep -cx event=4 /tmp/events)" 2
same "resumed" "$(grep -cx event=5 /tmp/events)" 2
rmmod sluice
rmmod liar
