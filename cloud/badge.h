/* SPDX-License-Identifier: MIT */
/*
 * badge.h - which certificates of devices are good, as this node last knew. Where the data base is
 * another machine's a loop does not ask it, and a device whose certificate was good a moment ago is
 * not sent away because the data base is: what is known here is used while it does not answer.
 *
 * A thread asks every second whether somebody was denied, and then reads the list. A certificate
 * that was never seen to be good here is not let in without the data base.
 */
#ifndef SLUICE_BADGE_H
#define SLUICE_BADGE_H

#include <stdint.h>

#define SLUICE_BADGES_MAX 200000 /* of good ones that are remembered */

struct sluice_badges;

/* data is borrowed. Says what is wrong; -errno. */
int sluice_badges_open(const char *data, struct sluice_badges **out);
/* NULL-safe. */
void sluice_badges_close(struct sluice_badges *b);

/* All of the rest: any thread, and none waits for the data base. */

/* Grows when the list of the denied is another one. */
int64_t sluice_badges_turn(struct sluice_badges *b);
/* 1: the data base does not answer at the moment. */
int sluice_badges_away(struct sluice_badges *b);
/* 0: it was good; -EKEYREVOKED; -ENOENT: that is not known. */
int sluice_badges_check(struct sluice_badges *b, const char *tenant, const char *device,
			const char *serial);
/* The data base has said that it is good. */
void sluice_badges_good(struct sluice_badges *b, const char *tenant, const char *device,
			const char *serial);

#endif
