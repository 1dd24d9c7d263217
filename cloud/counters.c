// SPDX-License-Identifier: MIT
/* counters.c - the counters as Prometheus reads them (text format 0.0.4). */
#include "cloud/counters.h"

#define PREFIX "sluice_cloud_"

static const struct row {
	enum sluice_counter which;
	const char *name, *labels, *help; /* help: NULL if the row before has the name */
} rows[] = {
	{ SLUICE_N_ACCEPTED, "connections_total", "", "Connections accepted." },
	{ SLUICE_N_REFUSED_TOTAL, "refused_total", "{reason=\"connections\"}",
	  "Connections not let in, by the limit." },
	{ SLUICE_N_REFUSED_ADDRESS, "refused_total", "{reason=\"address\"}", NULL },
	{ SLUICE_N_REFUSED_RATE, "refused_total", "{reason=\"rate\"}", NULL },
	{ SLUICE_N_REFUSED_HALF_OPEN, "refused_total", "{reason=\"half_open\"}", NULL },
	{ SLUICE_N_REFUSED_DEVICE, "refused_total", "{reason=\"device\"}", NULL },
	{ SLUICE_N_REFUSED_PROXY, "refused_total", "{reason=\"proxy\"}", NULL },
	{ SLUICE_N_HANDSHAKE_FULL, "handshakes_total", "{kind=\"full\"}",
	  "TLS handshakes completed." },
	{ SLUICE_N_HANDSHAKE_RESUMED, "handshakes_total", "{kind=\"resumed\"}", NULL },
	{ SLUICE_N_HANDSHAKE_FAILED, "handshake_failures_total", "{reason=\"tls\"}",
	  "TLS handshakes that came to nothing." },
	{ SLUICE_N_HANDSHAKE_LATE, "handshake_failures_total", "{reason=\"late\"}", NULL },
	{ SLUICE_N_REQUESTS, "requests_total", "", "HTTP requests that were complete." },
	{ SLUICE_N_REQUEST_LATE, "requests_late_total", "",
	  "Connections ended because a request or a reader was too slow." },
	{ SLUICE_N_LINKS, "links_total", "", "Uplinks of devices begun." },
	{ SLUICE_N_FRAMES, "frames_total", "", "Frames received." },
	{ SLUICE_N_FRAME_BYTES, "frame_bytes_total", "", "Bytes of frames received." },
	{ SLUICE_N_CONTROL, "control_messages_total", "", "Other messages received." },
	{ SLUICE_N_STORED, "frames_stored_total", "", "Frames made durable." },
	{ SLUICE_N_STORE_FAILED, "store_failures_total", "",
	  "Groups of messages that could not be stored; the devices keep their frames." },
	{ SLUICE_N_REJECTED, "frames_rejected_total", "", "Frames answered with REJECT." },
	{ SLUICE_N_HELD_RATE, "held_total", "{reason=\"rate\"}",
	  "Times that a device was not read from for a while." },
	{ SLUICE_N_HELD_FILL, "held_total", "{reason=\"fill\"}", NULL },
	{ SLUICE_N_CREDIT_STALLED, "credit_stalls_total", "",
	  "Times that a device had to wait for credit." },
	{ SLUICE_N_GOAWAY + 1, "goaway_total", "{code=\"shutdown\"}",
	  "Links ended by us, by the reason told." },
	{ SLUICE_N_GOAWAY + 2, "goaway_total", "{code=\"version\"}", NULL },
	{ SLUICE_N_GOAWAY + 3, "goaway_total", "{code=\"protocol\"}", NULL },
	{ SLUICE_N_GOAWAY + 4, "goaway_total", "{code=\"revoked\"}", NULL },
	{ SLUICE_N_GOAWAY + 5, "goaway_total", "{code=\"limit\"}", NULL },
	{ SLUICE_N_GOAWAY + 6, "goaway_total", "{code=\"too_big\"}", NULL },
	{ SLUICE_N_GOAWAY + 8, "goaway_total", "{code=\"storage\"}", NULL },
	{ SLUICE_N_GOAWAY + 9, "goaway_total", "{code=\"replaced\"}", NULL },
	{ SLUICE_N_GOAWAY + 10, "goaway_total", "{code=\"elsewhere\"}", NULL },
};

static const unsigned int bounds_ms[SLUICE_LATENCY_BUCKETS - 1] = { 5,	 10,  25,   50,	  100, 200,
								    300, 500, 1000, 2500, 5000 };

void sluice_count_refusal(struct sluice_counters *c, enum sluice_refusal r)
{
	sluice_count(c, SLUICE_N_REFUSED_TOTAL + r - SLUICE_REFUSED_TOTAL, 1);
}

void sluice_count_latency(struct sluice_counters *c, uint64_t ns)
{
	unsigned int i = 0;

	while (i < SLUICE_LATENCY_BUCKETS - 1 && ns > bounds_ms[i] * 1000000ull)
		i++;
	atomic_fetch_add_explicit(&c->latency[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->latency_us, ns / 1000, memory_order_relaxed);
}

static void print_latency(struct sluice_counters *c, FILE *out)
{
	static const char name[] = PREFIX "store_seconds";
	unsigned long long sum = 0;
	unsigned int i;

	fprintf(out,
		"# HELP %s From a frame's arrival to its being durable.\n# TYPE %s histogram\n",
		name, name);
	for (i = 0; i < SLUICE_LATENCY_BUCKETS; i++) {
		sum += atomic_load_explicit(&c->latency[i], memory_order_relaxed);
		if (i < SLUICE_LATENCY_BUCKETS - 1)
			fprintf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds_ms[i] / 1000.0,
				sum);
		else
			fprintf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, sum);
	}
	fprintf(out, "%s_sum %.6f\n%s_count %llu\n", name,
		(double)atomic_load_explicit(&c->latency_us, memory_order_relaxed) / 1e6, name,
		sum);
}

void sluice_counters_print(struct sluice_counters *c, FILE *out)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if (r->help)
			fprintf(out, "# HELP %s%s %s\n# TYPE %s%s counter\n", PREFIX, r->name,
				r->help, PREFIX, r->name);
		fprintf(out, "%s%s%s %llu\n", PREFIX, r->name, r->labels,
			(unsigned long long)atomic_load_explicit(&c->n[r->which],
								 memory_order_relaxed));
	}
	print_latency(c, out);
}

void sluice_gauge_print(FILE *out, const char *name, const char *help, const char *labels,
			double value)
{
	if (help)
		fprintf(out, "# HELP %s%s %s\n# TYPE %s%s gauge\n", PREFIX, name, help, PREFIX,
			name);
	fprintf(out, "%s%s%s %.15g\n", PREFIX, name, labels, value);
}

void sluice_counter_print(FILE *out, const char *name, const char *help, const char *labels,
			  uint64_t value)
{
	if (help)
		fprintf(out, "# HELP %s%s %s\n# TYPE %s%s counter\n", PREFIX, name, help, PREFIX,
			name);
	fprintf(out, "%s%s%s %llu\n", PREFIX, name, labels, (unsigned long long)value);
}
