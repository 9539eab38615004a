/*
 * The error codes of an answer, whatever API it is of: every field named so in the tables that describe
 * messages, in the version that is sent. One place for all APIs, so that a new one is counted without a line
 * of its own.
 */
#include <string.h>
#include "broker/metrics.h"

static bool is_error(const struct rw_field *f)
{
    static const char end[] = "error_code";
    size_t n = strlen(f->name);
    return f->type == RW_T_I16 && !(f->flags & RW_F_ARRAY) && n >= sizeof(end) - 1 &&
           strcmp(f->name + n - (sizeof(end) - 1), end) == 0;
}

/* Answers may hold many thousands of rows that know no errors: they are not visited. */
static bool has_errors(const struct rw_desc *d, int16_t version)
{
    for (int i = 0; i < d->n_ordinary + d->n_tagged; i++) {
        const struct rw_field *f = &d->fields[i];
        if (rw_field_in(f, version) &&
            (is_error(f) || (f->type == RW_T_STRUCT && has_errors(f->sub, version))))
            return true;
    }
    return false;
}

static void visit(struct rw_metrics *m, int16_t api_key, const struct rw_desc *d, int16_t version,
                  const uint8_t *message)
{
    for (int i = 0; i < d->n_ordinary + d->n_tagged; i++) {
        const struct rw_field *f = &d->fields[i];
        if (!rw_field_in(f, version))
            continue;
        if (is_error(f)) {
            int16_t error;
            memcpy(&error, message + f->offset, sizeof(error));
            rw_metric_error(m, api_key, error);
        }
        if (f->type != RW_T_STRUCT || !has_errors(f->sub, version))
            continue;
        const uint8_t *rows = message + f->offset;
        int32_t n = 1;
        if (f->flags & (RW_F_ARRAY | RW_F_POINTER))
            memcpy(&rows, message + f->offset, sizeof(rows));
        if (f->flags & RW_F_ARRAY)
            memcpy(&n, message + f->count, sizeof(n));
        for (int32_t k = 0; rows && k < n; k++)
            visit(m, api_key, f->sub, version, rows + (size_t)k * f->sub->size);
    }
}

void rw_metric_errors(struct rw_metrics *m, const struct rw_api *api, int16_t version,
                      const void *response)
{
    visit(m, api->key, api->response, version, response);
}
