# SPDX-License-Identifier: MIT
$(eval $(call testprog,test_assign,tests/unit/test_assign.c cloud/assign.c))
$(eval $(call testprog,test_analysis,tests/unit/test_analysis.c $(ANALYSIS),libjpeg libturbojpeg jansson libcrypto,-lm))
