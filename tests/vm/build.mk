# SPDX-License-Identifier: MIT
# A helper of guest tests, no test of its own: only build/tests/test_* are run as such.
$(eval $(call testprog,app_frames,tests/vm/app_frames.c,,))
