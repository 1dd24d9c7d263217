// SPDX-License-Identifier: MIT
/* The static build has no decoder: it says so. */
#include "tools/camsim/make_roll.h"

int make_roll(const struct options *o)
{
	fputs("sluice-camsim: this build only plays rolls; make them with "
	      "build/bin/sluice-camsim\n",
	      stderr);
	return 1;
}
