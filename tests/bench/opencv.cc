// SPDX-License-Identifier: MIT
/*
 * opencv.cc - grid and gate against what is usually done with OpenCV, on the same YUYV frames of a
 * real clip, one thread:
 *
 *   difference  gray, GaussianBlur 21, absdiff with the frame before, threshold 25, dilate twice,
 *               findContours
 *   MOG2        gray, background subtraction (500 frames, 16, shadows), threshold, findContours
 *
 * Once while the street is busy, and once while nothing moves: the clip's first frame with sensor
 * noise of 2 grey levels, which is what a camera sends most of the time.
 */
#include "bench.h"
#include "gate_rows.h"
#include <cstdlib>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/video.hpp>

namespace
{

constexpr unsigned int frames = 32;
constexpr int width = 640, height = 480;
constexpr size_t frame_bytes = size_t(width) * height * 2;

struct job {
	uint8_t *yuyv;
	cv::Mat before, kernel;
	cv::Ptr<cv::BackgroundSubtractorMOG2> model;
};

cv::Mat gray_of(const job *j, unsigned int i)
{
	cv::Mat in(height, width, CV_8UC2, j->yuyv + i * frame_bytes), gray;

	cv::cvtColor(in, gray, cv::COLOR_YUV2GRAY_YUY2);
	return gray;
}

uint64_t difference(void *context, unsigned int i)
{
	job *j = static_cast<job *>(context);
	std::vector<std::vector<cv::Point>> contours;
	cv::Mat gray = gray_of(j, i), delta;

	cv::GaussianBlur(gray, gray, cv::Size(21, 21), 0);
	if (j->before.empty())
		j->before = gray.clone();
	cv::absdiff(j->before, gray, delta);
	cv::threshold(delta, delta, 25, 255, cv::THRESH_BINARY);
	cv::dilate(delta, delta, j->kernel, cv::Point(-1, -1), 2);
	cv::findContours(delta, contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
	j->before = gray;
	return contours.size();
}

uint64_t mog2(void *context, unsigned int i)
{
	job *j = static_cast<job *>(context);
	std::vector<std::vector<cv::Point>> contours;
	cv::Mat gray = gray_of(j, i), mask;

	j->model->apply(gray, mask);
	cv::threshold(mask, mask, 200, 255, cv::THRESH_BINARY);
	cv::findContours(mask, contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
	return contours.size();
}

/* Luma of RGB, chroma neutral: neither side looks at chroma. */
uint8_t *yuyv_of(const uint8_t *rgb)
{
	uint8_t *out = static_cast<uint8_t *>(std::malloc(frames * frame_bytes));

	if (!out)
		std::abort();
	for (size_t k = 0; k < size_t(frames) * width * height; k++) {
		const uint8_t *p = rgb + 3 * k;

		out[2 * k] = uint8_t((77 * p[0] + 150 * p[1] + 29 * p[2]) >> 8);
		out[2 * k + 1] = 128;
	}
	return out;
}

/* All frames become the first one with noise. */
void make_quiet(uint8_t *yuyv)
{
	cv::Mat first(height, width, CV_8UC2, yuyv), noise(height, width, CV_16SC2);
	cv::Mat still = first.clone();
	cv::RNG random(7);

	for (unsigned int i = 0; i < frames; i++) {
		cv::Mat frame(height, width, CV_8UC2, yuyv + i * frame_bytes);

		random.fill(noise, cv::RNG::NORMAL, 0, 2);
		cv::add(still, noise, frame, cv::noArray(), CV_8U);
	}
}

void bench_both(struct bench *b, uint8_t *yuyv, bool quiet)
{
	struct gate_job *ours = gate_job_open(yuyv, width, height, frames);
	bench_row row = {};
	job j;

	j.yuyv = yuyv;
	j.kernel = cv::getStructuringElement(cv::MORPH_RECT, cv::Size(3, 3));
	j.model = cv::createBackgroundSubtractorMOG2(500, 16, true);
	row.aim = quiet ? 1.0 / 15 : 0.1;
	row.name = quiet ? "quiet_gate_opencv" : "whole_gate_opencv";
	row.what = quiet ? "grid and gate of 640x480 YUYV, a street at rest, noise of 2 grey levels"
			 : "grid and gate of 640x480 YUYV, 32 frames of a busy street in turn";
	row.against = "OpenCV: gray, GaussianBlur 21, absdiff, threshold 25, dilate, findContours";
	bench_pair(b, &row, gate_job_whole, ours, difference, &j, frames);
	row.aim = quiet ? 1.0 / 50 : 0.1;
	row.name = quiet ? "quiet_gate_mog2" : "whole_gate_mog2";
	row.against = "OpenCV: gray, MOG2 with shadows, threshold, findContours";
	bench_pair(b, &row, gate_job_whole, ours, mog2, &j, frames);
	gate_job_close(ours);
}

} // namespace

extern "C" void bench_opencv(struct bench *b)
{
	const char *source = nullptr;
	uint8_t *rgb = bench_clip(b, "opencv", width, height, frames, &source);
	uint8_t *yuyv;

	if (!rgb)
		return;
	cv::setNumThreads(1);
	yuyv = yuyv_of(rgb);
	std::free(rgb);
	bench_both(b, yuyv, false);
	make_quiet(yuyv);
	bench_both(b, yuyv, true);
	std::free(yuyv);
}
