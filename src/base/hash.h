/*
 * Seeded hashes for tables whose keys outsiders choose (topic names, client ids): without the seed,
 * taken from the environment's random numbers, nobody can make keys collide. rw_hash() of map.h is for
 * the others.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 (J.-P. Aumasson, D. J. Bernstein) of the bytes. */
uint64_t rw_hash_seeded(uint64_t seed, const void *p, size_t n);
uint64_t rw_hash_int(uint64_t seed, int64_t v);
