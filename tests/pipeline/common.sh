# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # used by those who source this
# Sourced by pipeline tests: a cloud of their own, words for what must fail. Everything lies in $tmp.

bin=$PWD/build/bin
tmp=${TEST_TMP:-$(mktemp -d)}
failed=0
fail() { echo "FAILED: $*"; failed=1; }

# Processes that we have started; all go when we go.
started=()
stop_started() {
	local p
	for p in "${started[@]}"; do kill "$p" 2>/dev/null; done
	wait
}
trap stop_started EXIT
trap 'exit 1' INT TERM

# $1: seconds; the rest: a condition that is tried until it holds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { fail "waited in vain for: $*"; return 1; }
		sleep 0.05
	done
}

# $1: exit code; $2: words (fixed) that standard error must hold; the rest: a command.
refused() {
	local want=$1 words=$2 rc=0
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
	if [ $rc -ne "$want" ]; then
		fail "exit code $rc, not $want, of: $*: $(cat "$tmp/err")"
	elif ! grep -qF -- "$words" "$tmp/err"; then
		fail "no '$words' from: $*: $(cat "$tmp/err")"
	else
		echo "refused rightly: $(grep -F -- "$words" "$tmp/err" | head -n 1)"
	fi
}

# $1: expression of jq that must hold; $2: file.
holds() { jq -e "$1" "$2" >/dev/null || fail "does not hold: $1: $(head -c 2000 "$2")"; }

# $1: name: its data is in $tmp/NAME, its administrator's token in $tmp/NAME.admin.
init_cloud() { "$bin/sluice-cloud" init --data "$tmp/$1" >"$tmp/$1.admin" 2>"$tmp/$1.log" || fail "init: $(cat "$tmp/$1.log")"; }

# $1: name; $2: address; $3: port, 0 for any. Sets cloud (process) and port.
start_cloud() {
	rm -f "$tmp/port"
	"$bin/sluice-cloud" run --data "$tmp/$1" --listen "$2:$3" --port-file "$tmp/port" >>"$tmp/$1.log" 2>&1 &
	cloud=$!
	started+=("$cloud")
	wait_for 20 test -s "$tmp/port" || { cat "$tmp/$1.log"; exit 1; }
	port=$(cat "$tmp/port")
}

# $1: process; $2: signal. Its exit code.
end_process() {
	kill "-$2" "$1"
	wait "$1"
}

# $1: cloud; $2: device's name. A one-time token.
make_token() { "$bin/sluice-cloud" token --data "$tmp/$1" --device "$2" 2>/dev/null; }

# $1: cloud (must run at $url); $2: device: certificate, key and CA in $tmp/DEVICE.
enrol() { "$bin/sluicectl" enrol "$url" --token "$(make_token "$1" "$2")" --dir "$tmp/$2" >/dev/null || fail "enrolment of $2"; }

# $1: directory with certificate, key and CA; the rest: options. No settings of this machine.
relay() {
	local d=$1
	shift
	timeout 60 "$bin/sluice-relay" --config "$tmp/relay.conf" --cert "$d/device.crt" --key "$d/device.key" --ca "$d/ca.crt" \
		--state "$tmp/state" "$@"
}
mkdir -p "$tmp/state"
: >"$tmp/relay.conf"
