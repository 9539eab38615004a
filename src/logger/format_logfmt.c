/* time=... level=info logger=net msg="order accepted" user=5: one record, one line of key=value. */
#include "logger/format.h"

static void put_key(struct rw_lg_out *o, const struct rw_lg_field *field)
{
    if (field->ready) {
        rw_lg_put(o, field->ready->logfmt, field->ready->logfmt_n);
        return;
    }
    rw_lg_put_char(o, ' ');
    rw_lg_put_logfmt_key(o, field->key, field->key_n);
    if (rw_lg_key_taken(field->key, field->key_n, "msg"))
        rw_lg_put_char(o, '_');
    rw_lg_put_char(o, '=');
}

static void put_words(struct rw_lg_out *o, uint64_t bits)
{
    rw_lg_put_char(o, '"');
    rw_lg_put_errno(o, bits);
    rw_lg_put_lit(o, "\" errno=");
    rw_lg_put_int(o, (int)bits);
}

void rw_lg_format_logfmt_field(struct rw_lg_out *o, const struct rw_lg_field *field)
{
    const struct rw_lg_value *v = &field->value;
    char c = (char)v->bits;
    put_key(o, field);
    switch (v->type) {
    case ROLLWAY_T_CSTR_:
    case ROLLWAY_T_TEXT_:
        if (v->p)
            rw_lg_put_logfmt(o, v->p, v->n);
        else
            rw_lg_put_lit(o, "null");
        break;
    case ROLLWAY_T_BYTES_:
        if (v->p && v->n == 0)
            rw_lg_put_lit(o, "\"\"");
        else
            rw_lg_put_value(o, v);
        break;
    case ROLLWAY_T_CHAR_:
        rw_lg_put_logfmt(o, &c, 1);
        break;
    case ROLLWAY_T_ERRNO_:
        put_words(o, v->bits);
        break;
    default:
        rw_lg_put_value(o, v);
        break;
    }
}

static void put_head(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v)
{
    rw_lg_put_lit(o, "time=");
    rw_lg_put_time(o, v->time_ns, &f->second);
    rw_lg_put_lit(o, " level=");
    rw_lg_put_level(f, o, v->level, false);
    if (v->logger_n) {
        rw_lg_put_lit(o, " logger=");
        rw_lg_put_logfmt(o, v->logger, v->logger_n);
    }
    rw_lg_put_lit(o, " msg=");
    if (v->n_parts) {
        rw_lg_put_char(o, '"');
        rw_lg_put_message_as(o, v, RW_LG_QUOTED);
        rw_lg_put_char(o, '"');
    } else if (v->known) {
        rw_lg_put(o, v->known->logfmt, v->known->logfmt_n);
    } else {
        rw_lg_put_logfmt(o, v->message, v->message_n);
    }
}

void rw_lg_format_logfmt(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v)
{
    put_head(f, o, v);
    for (unsigned i = 0; i < v->n_fields; i++)
        rw_lg_format_logfmt_field(o, &v->fields[i]);
    if (f->thread) {
        rw_lg_put_lit(o, " thread=");
        rw_lg_put_uint(o, v->thread);
    }
    if (f->site) {
        char place[512];
        struct rw_lg_out text = {place, sizeof(place), 0};
        rw_lg_put_lit(o, " file=");
        rw_lg_put_cstr(&text, v->file);
        rw_lg_put_char(&text, ':');
        rw_lg_put_uint(&text, v->line);
        if (text.n <= sizeof(place)) {
            rw_lg_put_logfmt(o, place, text.n);
        } else {
            rw_lg_put_logfmt(o, v->file, strlen(v->file));
        }
        rw_lg_put_lit(o, " func=");
        rw_lg_put_logfmt(o, v->function, strlen(v->function));
    }
    rw_lg_put_char(o, '\n');
}
