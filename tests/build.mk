# SPDX-License-Identifier: MIT

# A folder of tests may have its own list.
include $(sort $(wildcard tests/*/build.mk))
