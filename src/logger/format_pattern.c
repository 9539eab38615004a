/* Lines by a pattern. It was split when it was set, so that a line only follows the parts. */
#include "logger/format.h"

static void put_field(struct rw_lg_out *o, const struct rw_lg_view *v, const char *key, size_t n)
{
    const struct rw_lg_value *found = NULL;
    for (unsigned i = 0; i < v->n_fields; i++) /* the call's win over the context's */
        if (v->fields[i].key_n == n && !memcmp(v->fields[i].key, key, n))
            found = &v->fields[i].value;
    if (!found)
        return;
    if (found->type >= ROLLWAY_T_CSTR_ && found->type != ROLLWAY_T_BYTES_ && found->p) {
        rw_lg_put_plain(o, found->p, found->n);
    } else if (found->type == ROLLWAY_T_CHAR_) {
        char c = (char)found->bits;
        rw_lg_put_plain(o, &c, 1);
    } else {
        rw_lg_put_value(o, found);
    }
}

static void put_part(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v,
                     const struct rw_lg_pattern_part *part)
{
    switch (part->what) {
    case 'd':
        if (part->n)
            (void)rw_lg_put_date(o, v->time_ns, f->text + part->at, part->n); /* checked */
        else
            rw_lg_put_time(o, v->time_ns, &f->second);
        break;
    case 'p':
    case 'P':
        rw_lg_put_level(f, o, v->level, part->what == 'P');
        break;
    case 'c':
        rw_lg_put_plain(o, v->logger, v->logger_n);
        break;
    case 'm':
        rw_lg_put_message_as(o, v, RW_LG_PLAIN);
        break;
    case 'k':
        for (unsigned i = 0; i < v->n_fields; i++)
            rw_lg_format_logfmt_field(o, &v->fields[i]);
        break;
    case 'X':
        put_field(o, v, f->text + part->at, part->n);
        break;
    case 't':
        rw_lg_put_uint(o, v->thread);
        break;
    case 'F':
        rw_lg_put_plain(o, v->file, strlen(v->file));
        break;
    case 'L':
        rw_lg_put_uint(o, v->line);
        break;
    case 'M':
        rw_lg_put_plain(o, v->function, strlen(v->function));
        break;
    case 'n':
        rw_lg_put_char(o, '\n');
        break;
    default: /* text, and the % of %% */
        rw_lg_put(o, f->text + part->at, part->n);
        break;
    }
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Cuts and pads what begins at `from`. Width and limit count characters, not bytes. When it did not fit, it counts for more
 * than it may take: the caller asks again with that much room. */
static void shape(struct rw_lg_out *o, size_t from, const struct rw_lg_pattern_part *part)
{
    size_t characters = 0, width = (size_t)(part->width < 0 ? -part->width : part->width);
    if (o->n > o->cap) {
        o->n += width;
        return;
    }
    for (size_t i = from; i < o->n; i++) {
        if (continues(o->p[i]))
            continue;
        if (part->most && characters == part->most) {
            o->n = i;
            break;
        }
        characters++;
    }
    if (characters >= width)
        return;
    size_t pad = width - characters, n = o->n - from;
    if (part->width > 0 && o->n + pad <= o->cap) {
        memmove(o->p + from + pad, o->p + from, n);
        memset(o->p + from, ' ', pad);
        o->n += pad;
    } else {
        rw_lg_put_repeat(o, ' ', pad);
    }
}

void rw_lg_format_pattern(struct rw_lg_format *f, struct rw_lg_out *o, const struct rw_lg_view *v)
{
    for (unsigned i = 0; i < f->n_parts; i++) {
        const struct rw_lg_pattern_part *part = &f->parts[i];
        if (!part->width && !part->most) {
            put_part(f, o, v, part);
            continue;
        }
        bool colour = f->colour && (part->what == 'p' || part->what == 'P');
        if (colour)
            rw_lg_put_cstr(o, rw_lg_level_colour(v->level));
        size_t from = o->n;
        bool all = f->colour;
        f->colour = false;
        put_part(f, o, v, part);
        f->colour = all;
        shape(o, from, part);
        if (colour)
            rw_lg_put_cstr(o, RW_LG_NO_COLOUR);
    }
}

/* "-20.30" before the letter. */
static const char *read_shape(const char *p, struct rw_lg_pattern_part *part)
{
    bool left = *p == '-';
    unsigned width = 0, most = 0;
    p += left;
    for (; *p >= '0' && *p <= '9' && width < 1000; p++)
        width = width * 10 + (unsigned)(*p - '0');
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9' && most < 1000; p++)
            most = most * 10 + (unsigned)(*p - '0');
    part->width = (int16_t)(left ? -(int)width : (int)width);
    part->most = (uint16_t)most;
    return p;
}

static int read_part(struct rw_lg_format *f, const char **at, struct rw_lg_pattern_part *part,
                     struct rw_err *ret_err)
{
    const char *p = read_shape(*at + 1, part);
    if (!*p || !strchr("dpPcmkXtFLMn%", *p))
        return rw_err_set(ret_err, RW_E_INVAL, "pattern: \"%.*s\" is not a conversion",
                          (int)(p - *at) + (*p != 0), *at);
    char what = *p++;
    part->what = what;
    if (what == '%') {
        part->what = 0;
        part->at = (uint16_t)(p - 1 - f->text);
        part->n = 1;
    }
    if ((what == 'd' || what == 'X') && *p == '{') {
        const char *end = strchr(p, '}');
        if (!end)
            return rw_err_set(ret_err, RW_E_INVAL, "pattern: a '{' has no '}'");
        part->at = (uint16_t)(p + 1 - f->text);
        part->n = (uint16_t)(end - p - 1);
        p = end + 1;
    }
    if (what == 'X' && part->n == 0)
        return rw_err_set(ret_err, RW_E_INVAL, "pattern: %%X needs the name of a field: %%X{key}");
    struct rw_lg_out none = {NULL, 0, 0};
    if (what == 'd' && part->n && !rw_lg_put_date(&none, 0, f->text + part->at, part->n))
        return rw_err_set(ret_err, RW_E_INVAL, "pattern: \"%.*s\" is not a form of time", part->n,
                          f->text + part->at);
    *at = p;
    return RW_OK;
}

int rw_lg_format_pattern_init(struct rw_lg_format *f, struct rw_err *ret_err)
{
    const char *p = f->text;
    bool ends = false;
    while (*p) {
        struct rw_lg_pattern_part part = {0};
        if (f->n_parts >= RW_LG_PATTERN_PARTS - 1)
            return rw_err_set(ret_err, RW_E_INVAL, "pattern: more than %d parts",
                              RW_LG_PATTERN_PARTS - 1);
        if (*p == '%') {
            int rc = read_part(f, &p, &part, ret_err);
            if (rc)
                return rc;
            ends = ends || part.what == 'n';
        } else {
            size_t n = strcspn(p, "%");
            part.at = (uint16_t)(p - f->text);
            part.n = (uint16_t)n;
            p += n;
        }
        f->parts[f->n_parts++] = part;
    }
    if (!ends)
        f->parts[f->n_parts++] = (struct rw_lg_pattern_part){.what = 'n'};
    return RW_OK;
}
