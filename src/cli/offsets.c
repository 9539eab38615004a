/* The language of -o. A time may hold colons itself: a range of times is cut where both halves are
 * times. */
#include "cli/offsets.h"

#include <string.h>
#include "cli/when.h"
#include "base/units.h"

int64_t rw_offset_add(int64_t offset, int64_t n)
{
    return n > INT64_MAX - offset ? INT64_MAX : offset + n;
}

static bool times(const char *text, int64_t now_ms, struct rw_offset_range *r)
{
    size_t n = strlen(text);
    int64_t t;
    if (text[0] == ':') {
        r->from.kind = RW_POINT_START;
        r->to.kind = RW_POINT_TIME;
        return rw_parse_time(text + 1, n - 1, now_ms, &r->to.value);
    }
    r->from.kind = RW_POINT_TIME;
    if (n && text[n - 1] == ':')
        n--;
    if (rw_parse_time(text, n, now_ms, &r->from.value))
        return true;
    for (const char *colon = strchr(text, ':'); colon; colon = strchr(colon + 1, ':')) {
        if (rw_parse_time(text, (size_t)(colon - text), now_ms, &t) &&
            rw_parse_time(colon + 1, strlen(colon + 1), now_ms, &r->to.value)) {
            r->from.value = t;
            r->to.kind = RW_POINT_TIME;
            return true;
        }
    }
    return false;
}

/* One side of "n:m". */
static bool point(const char *text, struct rw_offset_point *p)
{
    if (strcmp(text, "start") == 0 || strcmp(text, "beginning") == 0) {
        p->kind = RW_POINT_START;
        return true;
    }
    if (strcmp(text, "end") == 0) {
        p->kind = RW_POINT_END;
        return true;
    }
    if (!rw_units_parse_int(rw_str(text), &p->value) || p->value == INT64_MIN)
        return false;
    p->kind = text[0] == '+'   ? RW_POINT_FROM_START
              : text[0] == '-' ? RW_POINT_FROM_END
                               : RW_POINT_EXACT;
    if (p->value == INT64_MIN)
        return false; /* has no opposite */
    if (p->value < 0)
        p->value = -p->value;
    return true;
}

bool rw_parse_offsets(const char *text, int64_t now_ms, struct rw_offset_range *ret_range)
{
    struct rw_offset_range r = {{RW_POINT_NONE, 0}, {RW_POINT_NONE, 0}};
    char half[64];
    bool ok = false;
    size_t n = strlen(text);
    const char *colon = strchr(text, ':');
    if (text[0] == '@') {
        ok = times(text + 1, now_ms, &r);
    } else if (strncmp(text, "s@", 2) == 0) {
        r.from.kind = RW_POINT_TIME;
        ok = rw_parse_time(text + 2, n - 2, now_ms, &r.from.value);
    } else if (strncmp(text, "e@", 2) == 0) {
        r.from.kind = RW_POINT_START;
        r.to.kind = RW_POINT_TIME;
        ok = rw_parse_time(text + 2, n - 2, now_ms, &r.to.value);
    } else if (!colon) {
        ok = point(text, &r.from);
    } else if ((size_t)(colon - text) < sizeof(half)) {
        memcpy(half, text, (size_t)(colon - text));
        half[colon - text] = 0;
        r.from.kind = RW_POINT_START;
        ok = (half[0] == 0 || point(half, &r.from)) && (colon[1] == 0 || point(colon + 1, &r.to)) &&
             n > 1;
    }
    if (ok)
        *ret_range = r;
    return ok;
}
