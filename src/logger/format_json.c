/* {"time":"...","level":"info","logger":"net","message":"order accepted","user":5}: one record, one object, one line. */
#include <math.h>
#include "logger/format.h"

static void put_string(struct rw_lg_out *o, const char *p, size_t n)
{
    rw_lg_put_char(o, '"');
    rw_lg_put_json(o, p, n);
    rw_lg_put_char(o, '"');
}

static void put_key(struct rw_lg_out *o, const struct rw_lg_field *field)
{
    if (field->ready) {
        rw_lg_put(o, field->ready->json, field->ready->json_n);
        return;
    }
    rw_lg_put_lit(o, ",\"");
    rw_lg_put_json(o, field->key, field->key_n);
    if (rw_lg_key_taken(field->key, field->key_n, "message"))
        rw_lg_put_char(o, '_');
    rw_lg_put_lit(o, "\":");
}

static void put_double(struct rw_lg_out *o, uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    if (isfinite(d))
        rw_lg_put_double(o, d);
    else
        rw_lg_put_lit(o, "null");
}

/* In quotes; nothing in it needs to be escaped. */
static void put_quoted(struct rw_lg_out *o, const struct rw_lg_value *v)
{
    rw_lg_put_char(o, '"');
    rw_lg_put_value(o, v);
    rw_lg_put_char(o, '"');
}

static void put_value(struct rw_lg_out *o, const struct rw_lg_value *v)
{
    char c = (char)v->bits;
    switch (v->type) {
    case ROLLWAY_T_CSTR_:
    case ROLLWAY_T_TEXT_:
    case ROLLWAY_T_BYTES_:
        if (!v->p)
            rw_lg_put_lit(o, "null");
        else if (v->type == ROLLWAY_T_BYTES_)
            put_quoted(o, v);
        else
            put_string(o, v->p, v->n);
        break;
    case ROLLWAY_T_DOUBLE_:
        put_double(o, v->bits);
        break;
    case ROLLWAY_T_CHAR_:
        put_string(o, &c, 1);
        break;
    case ROLLWAY_T_POINTER_:
        put_quoted(o, v);
        break;
    case ROLLWAY_T_ERRNO_:
        put_quoted(o, v);
        rw_lg_put_lit(o, ",\"errno\":");
        rw_lg_put_int(o, (int)v->bits);
        break;
    default:
        rw_lg_put_value(o, v);
        break;
    }
}

static void put_place(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v)
{
    if (f->thread) {
        rw_lg_put_lit(o, ",\"thread\":");
        rw_lg_put_uint(o, v->thread);
    }
    if (f->site) {
        rw_lg_put_lit(o, ",\"file\":");
        put_string(o, v->file, strlen(v->file));
        rw_lg_put_lit(o, ",\"line\":");
        rw_lg_put_uint(o, v->line);
        rw_lg_put_lit(o, ",\"func\":");
        put_string(o, v->function, strlen(v->function));
    }
}

void rw_lg_format_json(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v)
{
    rw_lg_put_lit(o, "{\"time\":\"");
    rw_lg_put_time(o, v->time_ns, &f->second);
    rw_lg_put_lit(o, "\",\"level\":\"");
    rw_lg_put(o, rw_lg_level_name(v->level), rw_lg_level_length(v->level));
    if (v->logger_n) {
        rw_lg_put_lit(o, "\",\"logger\":\"");
        rw_lg_put_json(o, v->logger, v->logger_n);
    }
    rw_lg_put_lit(o, "\",\"message\":\"");
    if (v->known && !v->n_parts)
        rw_lg_put(o, v->known->json, v->known->json_n);
    else
        rw_lg_put_message_as(o, v, RW_LG_QUOTED);
    rw_lg_put_char(o, '"');
    for (unsigned i = 0; i < v->n_fields; i++) {
        put_key(o, &v->fields[i]);
        put_value(o, &v->fields[i].value);
    }
    put_place(f, o, v);
    rw_lg_put_lit(o, "}\n");
}
