# SPDX-License-Identifier: MIT
# Hostile netlink requests beside a camera that streams, and dumps of a list that changes. SEED,
# REQUESTS: of the random ones.
# Nothing in the kernel's log but what the netlink core says by itself, the ledger adds up, the camera
# streams on.
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; SEED and such come from outside
. /root/module.sh
set -e
modprobe vivid n_devs=9 node_types=0x1,0x1,0x1,0x1,0x1,0x1,0x1,0x1,0x1 no_error_inj=1
for n in 0 1 2 3 4 5 6 7 8; do
	v4l2-ctl -d /dev/video$n --set-fmt-video=width=640,height=360,pixelformat=YUYV --set-parm=$vivid_fps >/dev/null
done
modprobe sluice
control attach /dev/video0 capture name=front arena=8388608 $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 seconds=400 until-end >/tmp/read &
reader=$!
dmesg -c >/tmp/before
netfuzz policy >/out/policy || fail "no policy: $(cat /out/policy)"

delivered() { control get 0 | sed -n 's/^delivered=//p'; }
start=$(delivered)
netfuzz walk /dev/video1 || fail "walk"
netfuzz random /dev/video1 $SEED $REQUESTS || fail "random, seed $SEED"
# It asks from inside a user namespace; the debug kernels have none.
if [ -e /proc/self/ns/user ]; then
	netfuzz may || fail "without CAP_NET_ADMIN"
else
	echo "no user namespaces: not tried without CAP_NET_ADMIN"
fi
# Of the stack that Debian's 6.1 vivid prints when it is late, and of trouble, tests/vm/boot judges.
dmesg | grep -E '\] (sluice|genetlink|genl)' >/tmp/said || true
[ ! -s /tmp/said ] || fail "the kernel says: $(head -n 5 /tmp/said)"
same "cameras" "$(control dump | grep ^name= | tr '\n' ' ')" "name=front "
check_ledger front
[ "$(delivered)" -gt "$start" ] || fail "the camera has stopped"

# It still lets frames through as it is told, to a reader that is told nothing else.
control set front 2=1 $all_pass >/tmp/set || fail "$(cat /tmp/set)"
control mask front privacy=none >/tmp/set || fail "$(cat /tmp/set)"
count_of() { control get 0 | sed -n "s/^count$1=//p" | grep . || echo 0; }
before=$(count_of 15)
control snapshot front
another() { [ "$(count_of 15)" -gt "$before" ]; }
wait_for 20 another

# Dumps.
for n in 2 3 4 5 6 7; do control attach /dev/video$n tap arena=1048576 >/tmp/attach || fail "$(cat /tmp/attach)"; done
netdump /dev/video8 4 || fail "dump"
control detach front
wait $reader || fail "reader: $(cat /tmp/read)"
rmmod sluice
rmmod vivid
