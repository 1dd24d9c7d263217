// SPDX-License-Identifier: MIT
/* qr.c - QR codes by libqrencode, written as one path of an SVG: black on white, 4 modules around.
 */
#include <stdio.h>
#include <stdlib.h>
#include <qrencode.h>

#include "cloud/qr.h"

#define QUIET 4

static void write_modules(FILE *f, const QRcode *code)
{
	int x, y;

	for (y = 0; y < code->width; y++)
		for (x = 0; x < code->width; x++)
			if (code->data[y * code->width + x] & 1)
				fprintf(f, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
}

char *sluice_qr_svg(const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	char *svg = NULL;
	size_t size;
	FILE *f = code ? open_memstream(&svg, &size) : NULL;
	int side;

	if (f) {
		side = code->width + 2 * QUIET;
		fprintf(f,
			"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">"
			"<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"",
			side, side, side, side);
		write_modules(f, code);
		fputs("\"/></svg>", f);
		if (fclose(f)) {
			free(svg);
			svg = NULL;
		}
	}
	QRcode_free(code);
	return svg;
}
