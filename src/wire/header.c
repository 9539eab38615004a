/*
 * Request and response headers (KIP-482). They are written by hand because they decide how the rest is
 * read, and because of an oddity: client_id keeps its old encoding (int16 length) in the flexible
 * header version 2.
 *
 *   request:  api_key int16, api_version int16, correlation_id int32, client_id nullable string,
 *             version 2: tagged fields
 *   response: correlation_id int32, version 1: tagged fields
 */
#include "wire/api.h"

int rw_request_header_read(struct rw_reader *r, struct rw_request_header *ret_header)
{
    struct rw_request_header h;
    h.api_key = rw_read_i16(r);
    h.api_version = rw_read_i16(r);
    h.correlation_id = rw_read_i32(r);
    h.client_id = rw_read_string(r, false, true);
    const struct rw_api *api = rw_api_find(h.api_key);
    if (api && h.api_version >= api->min && h.api_version <= api->max &&
        rw_api_request_header_version(api, h.api_version) >= 2)
        rw_read_skip_tags(r);
    if (!r->code)
        *ret_header = h;
    return r->code;
}

void rw_request_header_write(struct rw_writer *w, const struct rw_api *api,
                             const struct rw_request_header *h)
{
    rw_write_i16(w, h->api_key);
    rw_write_i16(w, h->api_version);
    rw_write_i32(w, h->correlation_id);
    rw_write_string(w, h->client_id, false);
    if (rw_api_request_header_version(api, h->api_version) >= 2)
        rw_write_uvarint(w, 0);
}

int rw_response_header_read(struct rw_reader *r, const struct rw_api *api, int16_t version,
                            int32_t *ret_correlation_id)
{
    int32_t id = rw_read_i32(r);
    if (rw_api_response_header_version(api, version) >= 1)
        rw_read_skip_tags(r);
    if (!r->code)
        *ret_correlation_id = id;
    return r->code;
}

void rw_response_header_write(struct rw_writer *w, const struct rw_api *api, int16_t version,
                              int32_t correlation_id)
{
    rw_write_i32(w, correlation_id);
    if (rw_api_response_header_version(api, version) >= 1)
        rw_write_uvarint(w, 0);
}
