// SPDX-License-Identifier: MIT
/* vision_budget.c - see vision_budget.h. The file is one line, replaced whole. */
#include "cloud/vision_budget.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOUR_S	    3600
#define DAY_S	    86400
#define MONEY_MOST  1000000000ull /* whole units */
#define DECIMALS    6
#define MONEY_LIMIT (UINT64_MAX / 4)

int sluice_vision_money(const char *text, uint64_t *millionths)
{
	size_t whole = strspn(text, "0123456789"), part = 0;
	uint64_t v = 0;

	if (text[whole] == '.')
		part = strspn(text + whole + 1, "0123456789");
	if (!whole || whole > 9 || part > DECIMALS || (text[whole] == '.' && !part) ||
	    text[whole + (text[whole] == '.') + part])
		return -EINVAL;
	for (size_t i = 0; i < whole; i++)
		v = v * 10 + (uint64_t)(text[i] - '0');
	for (size_t i = 0; i < DECIMALS; i++)
		v = v * 10 + (i < part ? (uint64_t)(text[whole + 1 + i] - '0') : 0);
	if (v > MONEY_MOST * 1000000)
		return -EINVAL;
	*millionths = v;
	return 0;
}

uint64_t sluice_vision_cost(const struct sluice_vision_limits *l, uint64_t tokens_in,
			    uint64_t tokens_out)
{
	double cost = (double)tokens_in * (double)l->price_in * 1e-6 +
		      (double)tokens_out * (double)l->price_out * 1e-6;

	return cost < (double)MONEY_LIMIT ? (uint64_t)(cost + 0.999) : MONEY_LIMIT;
}

static int save(const struct sluice_vision_budget *b)
{
	char line[160], fresh[4200];
	int n = snprintf(line, sizeof(line), "1 %lld %" PRIu64 " %lld %" PRIu64 " %" PRIu64 "\n",
			 (long long)b->hour, b->hour_calls, (long long)b->day, b->day_calls,
			 b->day_money);
	int fd, err = 0;

	snprintf(fresh, sizeof(fresh), "%s.new", b->path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, line, (size_t)n) != n || fdatasync(fd))
		err = errno ? -errno : -EIO;
	close(fd);
	if (!err && rename(fresh, b->path))
		err = -errno;
	if (err)
		unlink(fresh);
	return err;
}

/* The windows that now lies in. A clock that was put back finds the later ones: it does not get
 * what was spent again. */
static void turn(struct sluice_vision_budget *b, int64_t now_s)
{
	if (now_s / HOUR_S > b->hour) {
		b->hour = now_s / HOUR_S;
		b->hour_calls = 0;
	}
	if (now_s / DAY_S > b->day) {
		b->day = now_s / DAY_S;
		b->day_calls = b->day_money = 0;
	}
}

static int load(struct sluice_vision_budget *b)
{
	long long hour, day;
	int n, version;
	FILE *f = fopen(b->path, "re");

	if (!f)
		return errno == ENOENT ? 0 : -errno;
	n = fscanf(f, "%d %lld %" SCNu64 " %lld %" SCNu64 " %" SCNu64, &version, &hour,
		   &b->hour_calls, &day, &b->day_calls, &b->day_money);
	fclose(f);
	if (n != 6 || version != 1)
		return -EUCLEAN;
	b->hour = hour;
	b->day = day;
	return 0;
}

int sluice_vision_budget_open(struct sluice_vision_budget *b, const char *data,
			      const struct sluice_vision_limits *limits, int64_t now_s)
{
	int err;

	memset(b, 0, sizeof(*b));
	b->limits = *limits;
	snprintf(b->path, sizeof(b->path), "%s/%s", data, SLUICE_VISION_BUDGET_FILE);
	err = load(b);
	/* one that says a time far from here was not written by a clock that was right */
	if (!err && b->day > now_s / DAY_S + 1)
		err = -EUCLEAN;
	if (err) { /* nobody knows what was spent today: all of it */
		b->hour = now_s / HOUR_S;
		b->day = now_s / DAY_S;
		b->hour_calls = b->day_calls = UINT64_MAX / 2;
		b->day_money = MONEY_LIMIT;
	}
	turn(b, now_s);
	return err;
}

int sluice_vision_budget_take(struct sluice_vision_budget *b, int64_t now_s, uint64_t most)
{
	int err;

	turn(b, now_s);
	if (b->hour_calls >= b->limits.hour_calls || b->day_calls >= b->limits.day_calls ||
	    most > MONEY_LIMIT || b->day_money > MONEY_LIMIT ||
	    b->day_money + most > b->limits.day_money)
		return -EDQUOT;
	b->hour_calls++;
	b->day_calls++;
	b->day_money += most;
	err = save(b);
	if (err) {
		b->hour_calls--;
		b->day_calls--;
		b->day_money -= most;
	}
	return err;
}

int sluice_vision_budget_settle(struct sluice_vision_budget *b, uint64_t most, uint64_t cost)
{
	b->day_money -= most < b->day_money ? most : b->day_money;
	b->day_money += cost < MONEY_LIMIT ? cost : MONEY_LIMIT;
	return save(b);
}
