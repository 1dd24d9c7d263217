# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))
$(eval $(call testprog,test_polygon,tests/unit/test_polygon.c tools/ctl/polygon.c,,-lm))
