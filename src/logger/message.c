/*
 * Values and messages into text. A message in printf style is put together from its parts: the common conversions by hand,
 * the others by snprintf with a specification that says the same of a 64-bit value. Formats were checked (known.c): no
 * foreign text gets into snprintf.
 */
#include <langinfo.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include "logger/view.h"

/* Wider is cut: nobody means it, and a damaged width must not fill the disk. */
enum { SHAPE_MAX = 2000, SHAPED_MAX = SHAPE_MAX + 400 };

const char *rw_lg_errno_words(uint64_t bits)
{
    return strerrordesc_np((int)bits);
}

void rw_lg_put_errno(struct rw_lg_out *o, uint64_t bits)
{
    const char *words = rw_lg_errno_words(bits);
    if (words) {
        rw_lg_put_cstr(o, words);
    } else {
        rw_lg_put_lit(o, "Unknown error ");
        rw_lg_put_int(o, (int)bits);
    }
}

static double as_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

static void put_scalar(struct rw_lg_out *o, const struct rw_lg_value *v)
{
    switch (v->type) {
    case ROLLWAY_T_INT_:
        rw_lg_put_int(o, (int64_t)v->bits);
        break;
    case ROLLWAY_T_UINT_:
        rw_lg_put_uint(o, v->bits);
        break;
    case ROLLWAY_T_DOUBLE_:
        rw_lg_put_double(o, as_double(v->bits));
        break;
    case ROLLWAY_T_BOOL_:
        rw_lg_put_cstr(o, v->bits ? "true" : "false");
        break;
    case ROLLWAY_T_CHAR_:
        rw_lg_put_char(o, (char)v->bits);
        break;
    case ROLLWAY_T_POINTER_:
        rw_lg_put_lit(o, "0x");
        rw_lg_put_hex(o, v->bits);
        break;
    default:
        rw_lg_put_errno(o, v->bits);
        break;
    }
}

void rw_lg_put_value(struct rw_lg_out *o, const struct rw_lg_value *v)
{
    if (v->type < ROLLWAY_T_CSTR_)
        put_scalar(o, v);
    else if (!v->p)
        rw_lg_put_lit(o, "null");
    else if (v->type == ROLLWAY_T_BYTES_)
        rw_lg_put_hex_bytes(o, v->p, v->n);
    else if (v->n)
        rw_lg_put(o, v->p, v->n);
}

/* What a specification says, its stars replaced by their arguments. */
struct shape {
    char flags[8];
    bool left;
    int width, precision; /* precision -1: none */
};

static int number(const char **p, int most)
{
    int64_t v = 0;
    while (**p >= '0' && **p <= '9') {
        if (v < most)
            v = v * 10 + (**p - '0');
        (*p)++;
    }
    return v < most ? (int)v : most;
}

static int bounded(uint64_t bits, int most)
{
    int v = (int)bits;
    return v > most ? most : v < -most ? -most : v;
}

static void read_shape(const char *spec, const struct rw_lg_part *part,
                       const struct rw_lg_value *args, struct shape *ret)
{
    *ret = (struct shape){.precision = -1};
    /* Of text the precision is how much of it is there; that was bounded when it was copied. */
    char conversion = spec[part->spec_n - 1];
    int most = conversion == 's' || conversion == 'm' ? INT_MAX : SHAPE_MAX;
    const char *p = spec + 1;
    for (size_t n = 0; *p && strchr("-+ #0'", *p); p++) {
        ret->left = ret->left || *p == '-';
        if (n < sizeof(ret->flags) - 2 && !strchr(ret->flags, *p))
            ret->flags[n++] = *p;
    }
    if (part->stars & 1) {
        ret->width = bounded(args++->bits, SHAPE_MAX);
        p++;
    } else {
        ret->width = number(&p, SHAPE_MAX);
    }
    if (ret->width < 0) {
        ret->width = -ret->width;
        if (!ret->left)
            ret->flags[strlen(ret->flags)] = '-';
        ret->left = true;
    }
    if (*p == '.') {
        p++;
        ret->precision = part->stars & 2 ? bounded(args->bits, most) : number(&p, most);
        if (ret->precision < 0)
            ret->precision = -1;
    }
}

/* Text in a field of at least `width` bytes. */
static void put_padded(struct rw_lg_out *o, enum rw_lg_escape escape, const struct shape *s,
                       const char *p, size_t n)
{
    size_t pad = s->width > 0 && (size_t)s->width > n ? (size_t)s->width - n : 0;
    if (!s->left)
        rw_lg_put_repeat(o, ' ', pad);
    rw_lg_put_escaped(o, escape, p, n);
    if (s->left)
        rw_lg_put_repeat(o, ' ', pad);
}

static void put_text(struct rw_lg_out *o, enum rw_lg_escape escape, const struct shape *s,
                     const struct rw_lg_value *v)
{
    size_t n = v->p ? v->n : 6;
    size_t most = s->precision >= 0 ? (size_t)s->precision : SIZE_MAX;
    if (!v->p && most < 6) /* glibc: all of it or nothing */
        n = 0;
    put_padded(o, escape, s, v->p ? v->p : "(null)", n < most ? n : most);
}

static int64_t narrow_int(uint64_t bits, uint8_t length)
{
    return length == 'H'   ? (signed char)bits
           : length == 'h' ? (short)bits
           : length == 0   ? (int)bits
                           : (int64_t)bits;
}

static uint64_t narrow_uint(uint64_t bits, uint8_t length)
{
    return length == 'H'   ? (unsigned char)bits
           : length == 'h' ? (unsigned short)bits
           : length == 0   ? (unsigned)bits
                           : bits;
}

/* The point of the locale becomes a point: a log is read by machines. */
static size_t plain_point(char *text, size_t n)
{
    const char *point = nl_langinfo(RADIXCHAR);
    size_t point_n = strlen(point);
    char *found = point_n && strcmp(point, ".") != 0 ? memmem(text, n, point, point_n) : NULL;
    if (!found)
        return n;
    *found = '.';
    memmove(found + 1, found + point_n, (size_t)(text + n - found) - point_n);
    return n - point_n + 1;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* made right here from a checked format */
static void put_number(struct rw_lg_out *o, const struct shape *s, char conversion, uint8_t length,
                       const struct rw_lg_value *v)
{
    char spec[24], text[SHAPED_MAX + 16];
    bool integer = v->type != ROLLWAY_T_DOUBLE_;
    snprintf(spec, sizeof(spec), "%%%s*%s%s%c", s->flags, s->precision >= 0 ? ".*" : "",
             integer ? "ll" : "", conversion);
    uint64_t bits = v->type == ROLLWAY_T_INT_ ? (uint64_t)narrow_int(v->bits, length)
                                              : narrow_uint(v->bits, length);
    int n;
    if (integer && s->precision >= 0)
        n = snprintf(text, sizeof(text), spec, s->width, s->precision, bits);
    else if (integer)
        n = snprintf(text, sizeof(text), spec, s->width, bits);
    else if (s->precision >= 0)
        n = snprintf(text, sizeof(text), spec, s->width, s->precision, as_double(v->bits));
    else
        n = snprintf(text, sizeof(text), spec, s->width, as_double(v->bits));
    if (n < 0)
        return;
    size_t all = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    /* With ' the locale is what was asked for. */
    bool as_is = integer || strchr(s->flags, '\'');
    rw_lg_put(o, text, as_is ? all : plain_point(text, all));
}
#pragma GCC diagnostic pop

/* A pointer is a %#lx; (nil) is text. */
static void put_pointer(struct rw_lg_out *o, const struct shape *s, const struct rw_lg_value *v)
{
    struct rw_lg_value bits = {.type = ROLLWAY_T_UINT_, .bits = v->bits};
    struct shape hashed = *s;
    if (v->bits == 0) {
        put_padded(o, RW_LG_RAW, s, "(nil)", 5);
        return;
    }
    if (!strchr(s->flags, '#'))
        hashed.flags[strlen(s->flags)] = '#';
    put_number(o, &hashed, 'x', 'q', &bits);
}

static unsigned stars(const struct rw_lg_part *part)
{
    return (part->stars & 1u) + (part->stars >> 1);
}

static void put_shaped(struct rw_lg_out *o, enum rw_lg_escape escape, const char *spec,
                       const struct rw_lg_part *part, const struct rw_lg_value *args)
{
    struct shape s;
    char conversion = spec[part->spec_n - 1];
    read_shape(spec, part, args, &s);
    const struct rw_lg_value *v = args + stars(part);
    char c = (char)v->bits, words[64];
    struct rw_lg_out text = {words, sizeof(words), 0};
    switch (conversion) {
    case 's':
        put_text(o, escape, &s, v);
        break;
    case 'c':
        put_padded(o, escape, &s, &c, 1);
        break;
    case 'm':
        rw_lg_put_errno(&text, v->bits);
        put_text(o, escape, &s, &(struct rw_lg_value){.p = words, .n = text.n});
        break;
    case 'p':
        put_pointer(o, &s, v);
        break;
    case 'f':
    case 'F':
        if (s.width == 0 && s.flags[0] == 0 && s.precision >= 0 &&
            rw_lg_put_fixed(o, as_double(v->bits), (unsigned)s.precision))
            break;
        put_number(o, &s, conversion, part->length, v);
        break;
    default:
        put_number(o, &s, conversion, part->length, v);
        break;
    }
}

/* Without flags, width and precision. False: not one of the common ones. */
static bool put_plain(struct rw_lg_out *o, enum rw_lg_escape escape, char conversion,
                      uint8_t length, const struct rw_lg_value *v)
{
    char c = (char)v->bits;
    switch (conversion) {
    case 'd':
    case 'i':
        rw_lg_put_int(o, narrow_int(v->bits, length));
        return true;
    case 'u':
        rw_lg_put_uint(o, narrow_uint(v->bits, length));
        return true;
    case 'x':
        rw_lg_put_hex(o, narrow_uint(v->bits, length));
        return true;
    case 's':
        if (v->p)
            rw_lg_put_escaped(o, escape, v->p, v->n);
        else
            rw_lg_put_lit(o, "(null)");
        return true;
    case 'c':
        rw_lg_put_escaped(o, escape, &c, 1);
        return true;
    case 'p':
        if (v->bits) {
            rw_lg_put_lit(o, "0x");
            rw_lg_put_hex(o, v->bits);
        } else {
            rw_lg_put_lit(o, "(nil)");
        }
        return true;
    case 'f':
        return rw_lg_put_fixed(o, as_double(v->bits), 6);
    case 'm':
        rw_lg_put_errno(o, v->bits);
        return true;
    default:
        return false;
    }
}

void rw_lg_put_message_as(struct rw_lg_out *o, const struct rw_lg_view *v, enum rw_lg_escape escape)
{
    if (v->n_parts == 0) {
        rw_lg_put_escaped(o, escape, v->message, v->message_n);
        return;
    }
    const struct rw_lg_value *args = v->args;
    for (unsigned i = 0; i < v->n_parts; i++) {
        const struct rw_lg_part *part = &v->parts[i];
        if (part->text_n)
            rw_lg_put_escaped(o, escape, v->message + part->text_at, part->text_n);
        if (!part->type)
            continue;
        /* Without a specification: the caller has formatted all of it. */
        const char *spec = part->spec_n ? v->message + part->spec_at : "%s";
        char conversion = part->spec_n ? spec[part->spec_n - 1] : 's';
        bool fixed = conversion == 'f' && part->spec_n == 4 && spec[1] == '.' && spec[2] != '*';
        if (fixed && rw_lg_put_fixed(o, as_double(args->bits), (unsigned)(spec[2] - '0'))) {
            args++; /* %.2f */
            continue;
        }
        if (!part->plain || !put_plain(o, escape, conversion, part->length, args))
            put_shaped(o, escape, spec, part, args);
        args += 1 + stars(part);
    }
}

void rw_lg_put_message(struct rw_lg_out *o, const struct rw_lg_view *v)
{
    rw_lg_put_message_as(o, v, RW_LG_RAW);
}
