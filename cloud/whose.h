/* SPDX-License-Identifier: MIT */
/*
 * whose.h - whose rows a person may see. It is a mandatory argument of every query that serves one,
 * so that no handler can forget it: the data layer gives no row of another tenant, nor of a camera
 * that the person was not granted.
 */
#ifndef SLUICE_WHOSE_H
#define SLUICE_WHOSE_H

struct sluice_whose {
	const char *tenant;
	/*
	 * Ids of the only cameras that may be seen, upper-case hex with a comma between two; "":
	 * none; NULL: all of the tenant. In SQL: (?2 IS NULL OR instr(?2, hex(c.id)))
	 */
	const char *cameras;
};

#endif
