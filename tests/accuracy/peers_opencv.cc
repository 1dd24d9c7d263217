// SPDX-License-Identifier: MIT
/*
 * peers_opencv.cc - OpenCV's models as they are usually used: colour, default settings, shadows found and taken off the
 * mask, speckles removed by a 5x5 median (without it their F is lower), contours.
 */
#include "peers.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/video.hpp>

struct opencv_model {
	cv::Ptr<cv::BackgroundSubtractor> model;
	int w, h;
};

opencv_model *opencv_open(bool knn, uint32_t w, uint32_t h)
{
	opencv_model *m = new opencv_model;

	cv::setNumThreads(1);
	if (knn)
		m->model = cv::createBackgroundSubtractorKNN(500, 400, true);
	else
		m->model = cv::createBackgroundSubtractorMOG2(500, 16, true);
	m->w = int(w);
	m->h = int(h);
	return m;
}

void opencv_close(opencv_model *m)
{
	delete m;
}

uint32_t opencv_frame(opencv_model *m, const uint8_t *bgr, uint8_t *out)
{
	cv::Mat in(m->h, m->w, CV_8UC3, const_cast<uint8_t *>(bgr)), mask(m->h, m->w, CV_8U, out), found;
	std::vector<std::vector<cv::Point>> contours;
	double area = 0;

	m->model->apply(in, found);
	cv::threshold(found, found, 200, 255, cv::THRESH_BINARY);
	cv::medianBlur(found, mask, 5);
	cv::findContours(mask, contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
	for (const auto &c : contours)
		area = std::max(area, cv::contourArea(c));
	return uint32_t(area);
}
