/*
 * ApiVersions (KIP-35, KIP-511): which APIs and versions this broker serves. Only APIs with a handler
 * are listed. No features are listed: none that has levels is served yet, and an empty list is what
 * tells clients so (P6). Unknown versions of this API itself are the pipeline's business.
 */
#include "base/assert.h"
#include "broker/api/api.h"

static bool is_word(struct rw_str s)
{
    /* [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? */
    for (int32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool inner = i > 0 && i < s.n - 1;
        if (!alnum && !(inner && (c == '-' || c == '.')))
            return false;
    }
    return s.n > 0;
}

void rw_handle_api_versions(struct rw_request *req)
{
    const struct rw_api_versions_request *in = req->in;
    struct rw_api_versions_response *out = req->out;
    if (req->header.api_version >= 3 &&
        (!is_word(in->client_software_name) || !is_word(in->client_software_version))) {
        out->error_code = RW_KERR_INVALID_REQUEST;
        rw_request_done(req);
        return;
    }
    out->api_keys = rw_arena_array(&req->arena, rw_handlers_count, sizeof(*out->api_keys));
    if (!out->api_keys) {
        rw_api_no_memory(req);
        return;
    }
    /* Clients ask this first, and load balancers all the time: both tables are in the order of their
     * keys, and a row is a copy of one that was initialised. */
    struct rw_api_versions_response_api_key blank;
    rw_api_versions_response_api_key_init(&blank);
    size_t n_apis;
    const struct rw_api *api = rw_api_table(&n_apis), *end = api + n_apis;
    for (size_t i = 0; i < rw_handlers_count; i++) {
        while (api < end && api->key < rw_handlers[i].api_key)
            api++;
        RW_ASSERT(api < end && api->key == rw_handlers[i].api_key);
        if (api->advertised_max < 0)
            continue;
        struct rw_api_versions_response_api_key *k = &out->api_keys[out->n_api_keys++];
        *k = blank;
        k->api_key = api->key;
        k->min_version = api->advertised_min;
        k->max_version = api->advertised_max;
    }
    rw_request_done(req);
}
