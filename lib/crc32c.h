/* SPDX-License-Identifier: MIT */
/* crc32c.h - CRC-32C (Castagnoli), the check of the wire format and of everything on disk. */
#ifndef SLUICE_LIB_CRC32C_H
#define SLUICE_LIB_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * The CRC of more bytes: begin with crc = 0 and give back what the last call returned. The whole is
 * the usual CRC-32C ("123456789" gives 0xe3069283). Thread-safe.
 */
uint32_t sluice_crc32c(uint32_t crc, const void *data, size_t size);

/* The table version, for tests: the same result without SSE 4.2. */
uint32_t sluice_crc32c_table(uint32_t crc, const void *data, size_t size);

#endif
