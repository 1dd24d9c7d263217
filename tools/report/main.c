// SPDX-License-Identifier: MIT
/* sluice-report: the page about a directory of summaries, for `make demo` and by hand. */
#include "tools/report/report.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_MAX 32

static const char help[] = "usage: sluice-report [options] DIR\n"
			   "\n"
			   "Writes DIR/report.html from DIR/summaries/CAMERA/DATE/ID/summary.json "
			   "and DIR/ledger.json.\n"
			   "\n"
			   "  -t, --title TEXT       head of the page\n"
			   "  -f, --fact NAME=VALUE  a line below it; may be repeated\n"
			   "  -s, --seconds S        length of the stream, for the timeline\n"
			   "  -h, --help             this text\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "title", required_argument, NULL, 't' },
		{ "fact", required_argument, NULL, 'f' },
		{ "seconds", required_argument, NULL, 's' },
		{ "print", no_argument, NULL, 'p' },
		{ "expect", no_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct report_fact facts[FACTS_MAX];
	struct report r = { .title = "What Sluice saw", .facts = facts };
	bool print = false, expect = false;
	char why[4608], *end;
	int c, rc = 0;

	while ((c = getopt_long(argc, argv, "t:f:s:peh", options, NULL)) != -1) {
		switch (c) {
		case 't':
			r.title = optarg;
			break;
		case 'f':
			end = strchr(optarg, '=');
			if (!end || r.fact_count == FACTS_MAX) {
				fprintf(stderr,
					"sluice-report: --fact wants NAME=VALUE, at most %d "
					"times\n",
					FACTS_MAX);
				return 2;
			}
			*end = 0;
			facts[r.fact_count++] = (struct report_fact){ optarg, end + 1 };
			break;
		case 's':
			r.seconds = strtod(optarg, &end);
			if (*end || end == optarg || !isfinite(r.seconds) || r.seconds < 0) {
				fprintf(stderr,
					"sluice-report: --seconds wants a number, not '%s'\n",
					optarg);
				return 2;
			}
			break;
		case 'p':
			print = true;
			break;
		case 'e':
			expect = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc) {
		fputs("sluice-report: name one directory (see --help)\n", stderr);
		return 2;
	}
	r.dir = argv[optind];
	if (report_load(&r, why, sizeof(why)) || report_save(&r, why, sizeof(why))) {
		fprintf(stderr, "sluice-report: %s\n", why);
		rc = 1;
	} else {
		if (print)
			report_overview(&r, stdout);
		if (expect)
			rc = report_expect(&r, stderr);
	}
	report_free(&r);
	return rc;
}
