// SPDX-License-Identifier: MIT
#include "grids.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	static const double rates[] = { 0, 15, 10, 5 };
	double fs = 0, cs = 0;
	size_t ev = 0, fo = 0;
	for (int kind = 0; kind < GRID_KINDS; kind++)
		for (int rt = 0; rt < (kind ? 1 : 4); rt++) {
			fs = cs = 0;
			ev = fo = 0;
			printf("== %s at %g\n", grid_kind_name[kind], rates[rt]);
			for (int i = 1; i < argc; i++) {
				char p[512], *dot;
				struct clip_grids c;
				struct truth t;
				struct score s;
				struct decision *d;
				size_t n;
				snprintf(p, sizeof(p), "%s", argv[i]);
				dot = strrchr(p, '.');
				snprintf(dot, 20, ".events.json");
				if (clip_grids_read(&c, argv[i], kind) || truth_read(&t, p))
					return 1;
				if (rates[rt] &&
				    (c.frames - 1) / c.t_s[c.frames - 1] < rates[rt] * 1.2)
					continue;
				d = calloc(c.frames, sizeof(*d));
				n = clip_grids_decide(&c, rates[rt], d);
				score_decisions(&s, &t, d, n);
				printf("%-40.40s %ux%u %zu/%zu false %.2f/%.1f pass %.0f/%.0f "
				       "delays",
				       strrchr(p, '/') + 1, c.w, c.h, s.found, s.events, s.false_s,
				       s.calm_s, s.bare * 100, s.rolled * 100);
				for (size_t k = 0; k < s.events; k++)
					printf(" %.2f", s.delay_s[k]);
				if (getenv("SPANS")) {
					struct spans m;
					motion_spans(&m, d, n, 0.5);
					printf("\n   ");
					for (size_t k = 0; k < m.count; k++)
						printf(" %.2f-%.2f", m.at[k].start, m.at[k].end);
				}
				printf("\n");
				fs += s.false_s;
				cs += s.calm_s;
				ev += s.events;
				fo += s.found;
				clip_grids_free(&c);
				free(d);
			}
			printf("TOTAL %zu/%zu false %.2f of %.1f = %.2f s/min\n", fo, ev, fs, cs,
			       fs / cs * 60);
		}
}
