# SPDX-License-Identifier: MIT
report_SRCS := tools/report/report.c tools/report/timeline.c tools/report/ledger.c tools/report/event.c tools/report/digest.c \
	tools/report/overview.c tools/report/period.c tools/report/html.c
$(eval $(call archive,report,$(report_SRCS),jansson))
$(eval $(call program,sluice-report,tools/report/main.c $(BUILD)/lib/report.a,jansson,-lm))
