// SPDX-License-Identifier: MIT
/* opencv_absent.c - stands in for opencv.cc where it, or OpenCV, is missing. */
#include "bench.h"

void bench_opencv(struct bench *b)
{
	bench_left_out(
		b, "opencv",
		"built without OpenCV: install libopencv-imgproc-dev and libopencv-video-dev");
}
