// SPDX-License-Identifier: MIT
/* Small pieces of a page: escaped text, base64, numbers for people, the size of a JPEG. */
#include "tools/report/report.h"

#include <math.h>

void html_text(FILE *f, const char *text)
{
	for (const char *c = text; c && *c; c++) {
		switch (*c) {
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '&':
			fputs("&amp;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		case '\'':
			fputs("&#39;", f);
			break;
		default:
			fputc(*c, f);
		}
	}
}

void html_base64(FILE *f, const unsigned char *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		unsigned int left = size - i < 3 ? size - i : 3;
		unsigned int v = bytes[i] << 16;

		if (left > 1)
			v |= bytes[i + 1] << 8;
		if (left > 2)
			v |= bytes[i + 2];
		fputc(digits[v >> 18 & 63], f);
		fputc(digits[v >> 12 & 63], f);
		fputc(left > 1 ? digits[v >> 6 & 63] : '=', f);
		fputc(left > 2 ? digits[v & 63] : '=', f);
	}
}

void html_bytes(FILE *f, double bytes)
{
	if (bytes >= 1e9)
		fprintf(f, "%.2f GB", bytes / 1e9);
	else if (bytes >= 1e6)
		fprintf(f, "%.1f MB", bytes / 1e6);
	else if (bytes >= 1e3)
		fprintf(f, "%.1f kB", bytes / 1e3);
	else
		fprintf(f, "%.0f B", bytes);
}

void html_clock(FILE *f, double seconds)
{
	double tenths = floor(fabs(seconds) * 10 + 0.5);

	fprintf(f, "%s%.0f:%04.1f", seconds < 0 && tenths > 0 ? "-" : "", floor(tenths / 600),
		fmod(tenths, 600) / 10);
}

/* Walks the markers up to the frame header; the walk ends with the bytes at the latest. */
bool jpeg_size(const unsigned char *b, size_t size, unsigned int *width, unsigned int *height)
{
	size_t at = 2;

	if (size < 4 || b[0] != 0xff || b[1] != 0xd8)
		return false;
	while (at + 9 <= size && b[at] == 0xff) {
		unsigned int marker = b[at + 1];
		unsigned int length = b[at + 2] << 8 | b[at + 3];

		if (marker == 0xff) {
			at++;
			continue;
		}
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
		    marker != 0xcc) {
			*height = b[at + 5] << 8 | b[at + 6];
			*width = b[at + 7] << 8 | b[at + 8];
			return *width && *height;
		}
		if (length < 2)
			return false;
		at += 2 + (size_t)length;
	}
	return false;
}
