# SPDX-License-Identifier: MIT
include tools/report/build.mk
