# SPDX-License-Identifier: MIT
$(eval $(call program,sluice-try,$(addprefix tools/try/,main.c child.c result.c),jansson,-lm))
