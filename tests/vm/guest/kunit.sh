# SPDX-License-Identifier: MIT
# The gate core's KUnit suites, whose results are in the kernel's log.
set -e
modprobe sluice_kunit
rmmod sluice_kunit
