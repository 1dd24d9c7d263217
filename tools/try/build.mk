# SPDX-License-Identifier: MIT
$(eval $(call program,sluice-try,$(addprefix tools/try/,main.c steps.c child.c node.c roles.c fetch.c result.c),jansson libcurl,-lm))
