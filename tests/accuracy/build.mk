# SPDX-License-Identifier: MIT
GATE_SRCS := kmod/gate.c kmod/gate_light.c kmod/gate_cell.c kmod/gate_blob.c
CFLAGS_kmod/gate_cell.c := -O3 # user space may vectorise; the results are the same

$(eval $(call testprog,test_gate,tests/unit/test_gate.c $(GATE_SRCS)))
