/* Tables that the generator fills (wire/messages.c, wire/error_table.c); private to this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "wire/api.h"
#include "wire/record.h"

struct rw_kerr_row {
    const char *name, *text;
    bool retriable;
};

extern const struct rw_kerr_row rw_kerr_rows[];
extern const struct rw_api rw_api_rows[];
extern const size_t rw_api_rows_count;
extern const uint8_t rw_api_row_of[]; /* [key]: 1 + index in rw_api_rows; 0: no such API */
extern const int16_t rw_api_last_key;
extern const struct rw_record_type rw_record_rows[];
extern const size_t rw_record_rows_count;
extern const struct rw_desc *const rw_message_rows[];
extern const size_t rw_message_rows_count;
