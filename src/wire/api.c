/*
 * Look-ups in the generated table of APIs (wire/messages.c), which is sorted by key. Header versions
 * follow from the flexible version alone, with the one exception that KIP-511 makes.
 */
#include "wire/api.h"

#include <string.h>
#include "wire/messages.h"
#include "wire/tables.h"

const struct rw_api *rw_api_find(int16_t key)
{
    unsigned row = key < 0 || key > rw_api_last_key ? 0 : rw_api_row_of[key];
    return row ? &rw_api_rows[row - 1] : NULL;
}

const struct rw_api *rw_api_table(size_t *ret_n)
{
    *ret_n = rw_api_rows_count;
    return rw_api_rows;
}

int rw_api_request_header_version(const struct rw_api *api, int16_t version)
{
    return version >= api->flexible ? 2 : 1;
}

int rw_api_response_header_version(const struct rw_api *api, int16_t version)
{
    /* A client that does not know yet what the broker speaks must be able to read this one. */
    if (api->key == RW_API_API_VERSIONS)
        return 0;
    return version >= api->flexible ? 1 : 0;
}

const struct rw_desc *const *rw_message_table(size_t *ret_n)
{
    *ret_n = rw_message_rows_count;
    return rw_message_rows;
}

const struct rw_desc *rw_message_find(const char *name)
{
    for (size_t i = 0; i < rw_message_rows_count; i++)
        if (strcmp(rw_message_rows[i]->name, name) == 0)
            return rw_message_rows[i];
    return NULL;
}
