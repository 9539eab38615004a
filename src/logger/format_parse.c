/*
 * Splits a printf format into text and conversions, once per call site, so that neither the caller nor the appenders parse it
 * again. What can not be kept and formatted later (%n, wide text, positional arguments) is refused: the caller formats then.
 */
#include <string.h>
#include "logger/site.h"

/* Flags, width and precision; counts the stars. */
static const char *skip_shape(const char *p, struct rw_lg_part *part)
{
    const char *from = p;
    while (*p && strchr("-+ #0'", *p))
        p++;
    if (*p == '*')
        part->stars |= 1, p++;
    else
        while (*p >= '0' && *p <= '9')
            p++;
    if (*p == '.') {
        p++;
        if (*p == '*')
            part->stars |= 2, p++;
        else
            while (*p >= '0' && *p <= '9')
                p++;
    }
    part->plain = p == from;
    return p;
}

static const char *skip_length(const char *p, struct rw_lg_part *part)
{
    part->length = 0;
    if (p[0] == 'h')
        part->length = p[1] == 'h' ? 'H' : 'h';
    else if (p[0] == 'l')
        part->length = p[1] == 'l' ? 'q' : 'l';
    else if (*p && strchr("jzt", *p))
        part->length = 'l';
    else if (*p == 'q' || *p == 'L')
        part->length = (uint8_t)*p;
    return part->length == 0 ? p : p + (part->length == 'H' || p[1] == 'l' ? 2 : 1);
}

static uint8_t type_of(char conversion, uint8_t length)
{
    switch (conversion) {
    case 'd':
    case 'i':
        return ROLLWAY_T_INT_;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        return ROLLWAY_T_UINT_;
    case 'c':
        return length == 'l' ? 0 : ROLLWAY_T_CHAR_;
    case 's':
        return length == 'l' ? 0 : ROLLWAY_T_CSTR_;
    case 'p':
        return ROLLWAY_T_POINTER_;
    case 'm':
        return ROLLWAY_T_ERRNO_;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        return ROLLWAY_T_DOUBLE_;
    default:
        return 0;
    }
}

unsigned rw_lg_format_parse(const char *format, struct rw_lg_part *parts, unsigned max,
                            unsigned *ret_args)
{
    unsigned n = 0, args = 0;
    const char *p = format;
    if (strlen(format) > 8192)
        return 0;
    for (;;) {
        if (n == max)
            return 0;
        struct rw_lg_part *part = &parts[n++];
        memset(part, 0, sizeof(*part));
        part->text_at = (uint16_t)(p - format);
        while (*p && *p != '%')
            p++;
        bool percent = p[0] == '%' && p[1] == '%';
        part->text_n = (uint16_t)(p - format - part->text_at + percent);
        if (!*p)
            break;
        if (percent) {
            p += 2;
            continue;
        }
        part->spec_at = (uint16_t)(p - format);
        p = skip_length(skip_shape(p + 1, part), part);
        part->type = type_of(*p, part->length);
        if (!part->type || (part->type == ROLLWAY_T_DOUBLE_ && part->length && part->length != 'l'))
            return 0;
        if (part->length == 'L') /* of an integer glibc takes it as ll */
            part->length = 'q';
        p++;
        part->spec_n = (uint16_t)(p - format - part->spec_at);
        args += 1u + (part->stars & 1) + (part->stars >> 1);
    }
    *ret_args = args;
    return n;
}
