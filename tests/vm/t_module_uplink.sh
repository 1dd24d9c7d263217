#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What went over the uplink of a camera with a privacy mask: the pictures that the cloud has stored.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/pipeline/common
make -s build/bin/sluice-relay build/bin/sluicectl build/bin/sluice-cloud build/tests/stored_halves || exit 1
"$bin/sluice-cloud" init --data "$tmp/a" --name 10.0.2.2 >"$tmp/a.admin" 2>"$tmp/a.log" || fail "init: $(cat "$tmp/a.log")"
start_cloud a 127.0.0.1 0
token=$("$bin/sluice-cloud" token --data "$tmp/a" --device guest 2>>"$tmp/a.log") || fail "no token"
tests/vm/module_run.sh uplink --net --timeout 300 --env "URL=https://10.0.2.2:$port" --env "TOKEN=$token" \
	--add "$bin/sluice-relay" --add "$bin/sluicectl" || fail "the guest"
build/tests/stored_halves "$tmp/a" || fail "a masked pixel was sent"
exit $failed
