/* SPDX-License-Identifier: MIT */
/* qr.h - a text as a picture that a phone reads. */
#ifndef SLUICE_QR_H
#define SLUICE_QR_H

/* An SVG, malloc'd; NULL: too long for a QR code, or out of memory. */
char *sluice_qr_svg(const char *text);

#endif
