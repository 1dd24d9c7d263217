# SPDX-License-Identifier: MIT
# What a tap costs the application: DQBUF before, with the tap of a camera where nothing moves, with
# one whose frames all pass; in the same run the copy of the same frames. ROLL. Lines for
# tests/vm/bench: "tap NAME VALUE".
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; ROLL comes from outside
. /root/module.sh
set -e
camsim_start "$ROLL"
modprobe sluice
# $1: name. The ring is read meanwhile, if there is one.
measure() {
	reader=
	if [ -e /dev/sluice0 ]; then
		ringread /dev/sluice0 seconds=600 until-end >/tmp/read &
		reader=$!
	fi
	dqbuf /dev/video0 "$FRAMES" skip=40 >/tmp/dqbuf || fail "dqbuf: $(cat /tmp/dqbuf)"
	sed -n "s/^\(.*\)=\(.*\)/tap ${1}_\1 \2/p" /tmp/dqbuf
	sed -n "s/^\(dqbuf\|copy\|libc_copy\) /histogram $1 \1 /p" /tmp/dqbuf
	[ -z "$reader" ] || { kill $reader; wait $reader || true; }
}
measure before
control attach /dev/video0 tap name=quiet >/tmp/attach || fail "$(cat /tmp/attach)"
measure quiet
check_ledger quiet
nothing_lost
sluicectl stats quiet --latency
control detach quiet
control attach /dev/video0 tap name=passing $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
measure passing
check_ledger passing
nothing_lost
sluicectl stats passing --latency
control detach passing
measure after
rmmod sluice
