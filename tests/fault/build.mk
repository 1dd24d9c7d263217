# SPDX-License-Identifier: MIT
# Helpers of the tests of faults.
$(eval $(call testprog,proxy,tests/fault/proxy.c))
