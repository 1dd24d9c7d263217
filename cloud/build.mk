# SPDX-License-Identifier: MIT
# What the worker does with a frame, in that order.
ANALYSIS := cloud/decode.c cloud/background.c cloud/blobs.c cloud/assign.c cloud/track.c cloud/events.c \
	    cloud/keyframes.c cloud/text.c cloud/summary.c cloud/analysis.c
