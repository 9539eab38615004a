/* 16-byte ids as Kafka prints them: URL-safe base64 without padding, 22 characters. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

struct rw_uuid {
    uint8_t b[16];
};

#define RW_UUID_TEXT_SIZE 23 /* with the final NUL */

/* All zero: "no id". */
bool rw_uuid_is_zero(struct rw_uuid u);
bool rw_uuid_eq(struct rw_uuid a, struct rw_uuid b);
/* Makes a version 4 id out of 16 random bytes. */
struct rw_uuid rw_uuid_v4(const uint8_t random[16]);
void rw_uuid_format(struct rw_uuid u, char ret_text[RW_UUID_TEXT_SIZE]);
bool rw_uuid_parse(struct rw_str text, struct rw_uuid *ret_uuid);
