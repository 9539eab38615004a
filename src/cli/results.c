/* What happened to each of several things. */
#include "cli/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/units.h"
#include "wire/error.h"

void rw_results_begin(struct rw_results *r, struct rw_cli_client *client, const char *kind)
{
    *r = (struct rw_results){.client = client, .kind = kind};
    if (!rw_cli_json(client->cli))
        return;
    rw_json_init(&r->json, rw_cli_out(client->cli), 2);
    rw_json_array(&r->json, NULL);
}

static void add_json(struct rw_results *r, struct rw_str name, const char *done, int16_t error,
                     struct rw_str message)
{
    rw_json_object(&r->json, NULL);
    rw_json_str(&r->json, r->kind, name);
    rw_json_cstr(&r->json, "status", error ? "failed" : done);
    rw_json_cstr(&r->json, "error", error ? rw_kerr_name(error) : NULL);
    if (error && message.n <= 0)
        rw_json_cstr(&r->json, "message", rw_kerr_text(error));
    else
        rw_json_str(&r->json, "message", error ? message : RW_STR_NULL);
    rw_json_end(&r->json);
}

void rw_results_add(struct rw_results *r, struct rw_str name, const char *done, int16_t error,
                    struct rw_str message)
{
    struct rw_cli *cli = r->client->cli;
    bool json = rw_cli_json(cli);
    r->n++;
    if (json)
        add_json(r, name, done, error, message);
    else if (!error && !rw_cli_quiet(cli))
        rw_buf_printf(rw_cli_out(cli), "%s %s %.*s\n", done, r->kind, name.n, name.p);
    if (!error)
        return;
    char what[300];
    snprintf(what, sizeof(what), "%s %.*s", r->kind, name.n, name.p);
    int code = rw_client_fail_kafka(&r->client->err, error, message.p, message.n, what);
    int exit_code = json ? rw_cli_exit_of(code) : rw_cli_client_fail(r->client, code);
    if (r->failed++ == 0)
        r->first = exit_code;
}

int rw_results_end(struct rw_results *r)
{
    if (rw_cli_json(r->client->cli)) {
        rw_json_end(&r->json);
        rw_buf_add_u8(rw_cli_out(r->client->cli), '\n');
    }
    return rw_cli_exit_of_many(r->n, r->failed, r->first);
}

static bool ends_with(struct rw_str s, const char *end)
{
    int32_t n = (int32_t)strlen(end);
    return s.n >= n && memcmp(s.p + s.n - n, end, (size_t)n) == 0;
}

bool rw_config_split(const char *text, struct rw_str *ret_name, struct rw_str *ret_value,
                     char value_buf[32])
{
    const char *equals = strchr(text, '=');
    int64_t v;
    if (!equals || equals == text)
        return false;
    *ret_name = (struct rw_str){text, (int32_t)(equals - text)};
    *ret_value = rw_str(equals + 1);
    bool number = (ends_with(*ret_name, ".ms") && rw_units_parse_ms(rw_str(equals + 1), &v)) ||
                  (ends_with(*ret_name, "bytes") && rw_units_parse_bytes(rw_str(equals + 1), &v));
    if (number) {
        snprintf(value_buf, 32, "%" PRId64, v);
        *ret_value = rw_str(value_buf);
    }
    return true;
}
