# SPDX-License-Identifier: MIT
# Helpers of the tests of faults.
$(eval $(call testprog,proxy,tests/fault/proxy.c))
# The relay in a simulated world: what it asks of the system directly is wrapped.
SIM_WRAP := close shutdown clock_gettime getrandom open rename unlink truncate fdatasync fsync sluice_log sluice_log_limited \
	malloc calloc realloc
SIM_SRCS := $(addprefix tests/fault/,sim_io.c sim_disk.c sim_cloud.c sim_device.c sim_run.c) tests/unit/ringmake.c \
	$(filter-out relay/conf.c relay/source.c relay/ledger.c,$(RELAY)) lib/reason.c kmod/ring.c $(LIBSLUICE)
SIM_LIBS := $(addprefix -Wl$(comma)--wrap=,$(SIM_WRAP))
$(foreach s,test_sim sim_io sim_disk sim_cloud sim_device sim_run test_every,$(eval CFLAGS_tests/fault/$(s).c := -Itests/unit))
$(eval $(call testprog,test_sim,tests/fault/test_sim.c $(SIM_SRCS),$(RELAY_PKGS),$(SIM_LIBS) -lm))
$(eval $(call testprog,test_every,tests/fault/test_every.c $(SIM_SRCS),$(RELAY_PKGS),$(SIM_LIBS) -lm))
