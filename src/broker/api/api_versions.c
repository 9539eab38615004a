/*
 * ApiVersions (KIP-35, KIP-511): which APIs and versions this broker serves. Only APIs with a handler
 * are listed. No features are listed: none that has levels is served yet, and an empty list is what
 * tells clients so (P6). Unknown versions of this API itself are the pipeline's business.
 */
#include "base/assert.h"
#include "broker/api/api.h"
#include "broker/api/table.h"

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

/* Both tables are in the order of their keys. */
static void fill(struct rw_api_versions_response *out,
                 struct rw_api_versions_response_api_key keys[RW_HANDLERS])
{
    size_t n_apis;
    const struct rw_api *api = rw_api_table(&n_apis), *end = api + n_apis;
    out->api_keys = keys;
    for (size_t i = 0; i < RW_HANDLERS; i++) {
        while (api < end && api->key < rw_handlers[i].api_key)
            api++;
        RW_ASSERT(api < end && api->key == rw_handlers[i].api_key);
        if (api->advertised_max < 0)
            continue;
        struct rw_api_versions_response_api_key *k = &out->api_keys[out->n_api_keys++];
        rw_api_versions_response_api_key_init(k);
        k->api_key = api->key;
        k->min_version = api->advertised_min;
        k->max_version = api->advertised_max;
    }
}

int rw_node_encode_api_versions(struct rw_node *n)
{
    const struct rw_api *api = rw_api_find(RW_API_API_VERSIONS);
    struct rw_api_versions_response_api_key keys[RW_HANDLERS];
    struct rw_api_versions_response out;
    RW_ASSERT(api && api->min == 0 && api->max == RW_API_VERSIONS_LAST);
    rw_api_versions_response_init(&out);
    fill(&out, keys);
    for (int16_t v = 0; v <= RW_API_VERSIONS_LAST; v++) {
        struct rw_writer w;
        rw_writer_init(&w);
        rw_api_versions_response_write(&w, v, &out);
        if (rw_writer_failed(&w)) {
            rw_writer_deinit(&w);
            return RW_E_NOMEM;
        }
        n->api_versions[v] = w.buf;
    }
    return RW_OK;
}

/* Clients ask this first, and load balancers all the time; the answer never changes. */
void rw_handle_api_versions(struct rw_request *req)
{
    const struct rw_api_versions_request *in = req->in;
    struct rw_api_versions_response *out = req->out;
    int16_t version = req->header.api_version;
    if (version >= 3 &&
        (!is_word(in->client_software_name) || !is_word(in->client_software_version))) {
        out->error_code = RW_KERR_INVALID_REQUEST;
    } else {
        const struct rw_buf *body = &rw_api_node(req)->api_versions[version];
        req->encoded = rw_slice(body->p, body->n);
    }
    rw_request_done(req);
}
