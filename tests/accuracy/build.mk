# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_gate,tests/unit/test_gate.c $(GATE_SRCS)))
