#!/bin/sh
# SPDX-License-Identifier: MIT
# time limit: 900
# Hostile netlink requests while a camera streams; and the kernel's own account of its policies, the
# header and docs/sluice.yaml say the same.
set -eu
"$(dirname "$0")/module_run.sh" netlink --timeout 1700 --env SEED="${SLUICE_SEED:-1}" \
	--env REQUESTS="${REQUESTS:-1500}"
cd "$(dirname "$0")/../.."
perl tests/vm/netlink_spec.pl docs/sluice.yaml include/sluice/control.h build/vm/module_netlink/policy
