/* SPDX-License-Identifier: MIT */
/*
 * zones.h - named places of a camera's picture, for the analysis and the search: zones (polygons
 * that somebody is in) and lines (that somebody crosses). They decide nothing about which frames
 * come; that is the gate's map (wish.h). No input or output.
 *
 * {"zones":[{"name":"door","points":[[x,y],...]}],"lines":[{"name":"step","points":[[x,y],[x,y]]}]}
 * x and y: shares of the picture's width and height, 0..1 from the top left corner, kept to
 * 1/10000.
 *
 * What is of concern (concerns.h) is said here, too: of a zone "concern":true, and "dwell_s", how
 * long somebody must be in it (default 2); of a line "concern":"forward", "backward" or "both"; of
 * all "night":{"from":"22:00","to":"06:00"}, in the node's time zone.
 */
#ifndef SLUICE_ZONES_H
#define SLUICE_ZONES_H

#include <jansson.h>

#include "cloud/analysis.h"

/* NULL, or what is wrong with it, static: for people. Keys that it does not know are wrong. */
const char *sluice_zones_check(const json_t *doc);

/* Those of a checked document into *c, whose zones and lines they replace; NULL: none. */
void sluice_zones_config(const json_t *doc, struct sluice_analysis_config *c);

#endif
