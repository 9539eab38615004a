/*
 * CRC32C (Castagnoli), the checksum of Kafka's record batches (RFC 3720, B.4). The fastest
 * implementation for this CPU is picked once; all give the same result. Thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* crc = 0 to start; feed the result back in to continue over more bytes. */
uint32_t rw_crc32c(uint32_t crc, const void *p, size_t n);

/* Name of the implementation in use, for diagnostics. */
const char *rw_crc32c_name(void);
