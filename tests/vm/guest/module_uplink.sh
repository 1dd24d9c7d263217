# SPDX-License-Identifier: MIT
# A camera with a mask over its left half, the real relay, the cloud of the host (tests/vm/
# t_module_uplink.sh, which looks at what it has stored). The mask is set anew again and again, from
# the left half to the left half and a corner, and never stops covering the left.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
v4l2-ctl -d /dev/video0 -c osd_text_mode=2 --set-fmt-video=width=640,height=360,pixelformat=YUYV >/dev/null
modprobe sluice
sluicectl enrol "$URL" --token "$TOKEN" --dir /etc/sluice || fail "the cloud gave no certificate"
sluicectl attach /dev/video0 --mode capture --name bars --privacy '0,0 320,0 320,360 0,360' rate=0 keepalive=1 ||
	fail "not attached"
# A debug kernel has no filter of system calls, and the relay would not start.
printf '[relay]\nseccomp = %s\n' "$(grep -q ^Seccomp: /proc/self/status && echo yes || echo no)" >/tmp/relay.conf
sluice-relay --config /tmp/relay.conf --once --cloud "$URL" --device /dev/sluice0 >/tmp/relay.log 2>&1 &
relay=$!
for _ in 1 2 3 4 5 6; do
	sluicectl snapshot bars || fail "no snapshot"
	sluicectl mask bars --privacy '0,0 320,0 320,360 0,360' --privacy '560,0 640,0 640,80 560,80' || fail "no mask"
	sleep 0.5
	sluicectl mask bars --privacy '0,0 320,0 320,360 0,360' || fail "no mask"
	sleep 0.5
done
sluicectl detach bars
wait $relay || fail "$(tail -n 3 /tmp/relay.log)"
cp /var/lib/sluice/ledger.json /out/
rmmod sluice
rmmod vivid
