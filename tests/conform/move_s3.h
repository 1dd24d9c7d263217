/* SPDX-License-Identifier: MIT */
/* move_s3.h - a store with its segments and summaries moves from a directory into a bucket. */
#ifndef SLUICE_CONFORM_MOVE_S3_H
#define SLUICE_CONFORM_MOVE_S3_H

#include "cloud/s3.h"

/* Behind bad_proxy.h; the bucket is there, and empty afterwards. */
void conform_move(const struct sluice_s3_config *s3);

#endif
