/* Random messages, dumps and golden lines: see the header. */
#include "wire_messages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "wire/api.h"

uint64_t rw_test_next(struct rw_test_rand *rand)
{
    uint64_t x = rand->state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return rand->state = x;
}

struct filler {
    struct rw_test_rand *rand;
    struct rw_arena *arena;
    unsigned size;
    int version;
    bool failed;
};

static uint64_t below(struct filler *x, uint64_t n)
{
    return (rw_test_next(x->rand) >> 16) % n;
}

static void *take(struct filler *x, size_t n)
{
    void *p = rw_arena_zalloc(x->arena, n ? n : 1);
    x->failed |= !p;
    return p;
}

static uint8_t *random_bytes(struct filler *x, size_t *ret_n, bool text)
{
    size_t n = below(x, 40) == 0 ? 200 : below(x, 3 * (uint64_t)x->size + 1);
    uint8_t *p = take(x, n);
    for (size_t i = 0; p && i < n; i++)
        p[i] = (uint8_t)(text ? 'a' + below(x, 26) : below(x, 256));
    *ret_n = p ? n : 0;
    return p;
}

static void fill_struct(struct filler *x, const struct rw_desc *d, uint8_t *m);

static void fill_value(struct filler *x, const struct rw_field *f, bool nullable, void *p)
{
    uint64_t v = rw_test_next(x->rand);
    size_t n;
    bool null = nullable && below(x, 4) == 0;
    switch ((enum rw_type)f->type) {
    case RW_T_BOOL:
        *(bool *)p = v & 1;
        break;
    case RW_T_I8:
    case RW_T_I16:
    case RW_T_U16:
    case RW_T_I32:
    case RW_T_U32:
    case RW_T_I64:
    case RW_T_F64:
        memcpy(p, &v, rw_type_size(f));
        if (f->type == RW_T_F64) /* a NaN would not survive Java's arithmetic unchanged */
            *(double *)p = (double)(int64_t)v / 3;
        break;
    case RW_T_UUID:
        for (size_t i = 0; i < 16; i++)
            ((uint8_t *)p)[i] = (uint8_t)below(x, 256);
        break;
    case RW_T_STRING: {
        const char *text = (const char *)random_bytes(x, &n, true);
        *(struct rw_str *)p = null ? RW_STR_NULL : (struct rw_str){text, (int32_t)n};
        break;
    }
    case RW_T_BYTES: {
        const uint8_t *bytes = random_bytes(x, &n, false);
        *(struct rw_slice *)p = null ? rw_slice(NULL, 0) : rw_slice(bytes, n);
        break;
    }
    case RW_T_RECORDS: {
        const uint8_t *bytes = random_bytes(x, &n, false);
        *(struct rw_wire_records *)p =
            null ? (struct rw_wire_records){0} : (struct rw_wire_records){.p = bytes, .n = n};
        break;
    }
    case RW_T_STRUCT:
        fill_struct(x, f->sub, p);
        break;
    }
}

static void fill_field(struct filler *x, const struct rw_field *f, uint8_t *m)
{
    bool nullable = rw_field_nullable(f, x->version);
    bool null = nullable && below(x, 4) == 0;
    uint8_t *p = m + f->offset;
    if (f->flags & RW_F_ARRAY) {
        int32_t n = null ? -1 : (int32_t)below(x, x->size + 1);
        size_t size = rw_type_size(f);
        uint8_t *all = n > 0 ? take(x, (size_t)n * size) : NULL;
        for (int32_t i = 0; all && i < n; i++)
            fill_value(x, f, false, all + (size_t)i * size);
        memcpy(p, &all, sizeof(all));
        memcpy(m + f->count, &n, sizeof(n));
    } else if (f->flags & RW_F_POINTER) {
        uint8_t *one = null ? NULL : take(x, f->sub->size);
        if (one)
            fill_struct(x, f->sub, one);
        memcpy(p, &one, sizeof(one));
    } else {
        fill_value(x, f, nullable, p);
    }
}

static void fill_struct(struct filler *x, const struct rw_desc *d, uint8_t *m)
{
    rw_message_init(d, m);
    for (unsigned i = 0; i < (unsigned)d->n_ordinary + d->n_tagged; i++)
        if (rw_field_in(&d->fields[i], x->version) && below(x, 6) != 0)
            fill_field(x, &d->fields[i], m);
}

void *rw_test_random_message(const struct rw_desc *d, int version, struct rw_test_rand *rand,
                             unsigned size, struct rw_arena *arena)
{
    struct filler x = {.rand = rand, .arena = arena, .size = size, .version = version};
    void *m = take(&x, d->size);
    if (m)
        fill_struct(&x, d, m);
    return x.failed ? NULL : m;
}

static void dump_hex(struct rw_buf *to, char kind, const void *p, size_t n)
{
    rw_buf_add_u8(to, (uint8_t)kind);
    for (size_t i = 0; i < n; i++)
        rw_buf_printf(to, "%02x", ((const uint8_t *)p)[i]);
}

static void dump_bytes(struct rw_buf *to, char kind, const void *p, size_t n)
{
    if (p)
        dump_hex(to, kind, p, n);
    else
        rw_buf_add_str(to, "null");
}

static void dump_value(const struct rw_field *f, int version, const void *p, struct rw_buf *to)
{
    switch ((enum rw_type)f->type) {
    case RW_T_BOOL:
        rw_buf_add_str(to, *(const bool *)p ? "1" : "0");
        break;
    case RW_T_I8:
        rw_buf_printf(to, "%d", *(const int8_t *)p);
        break;
    case RW_T_I16:
        rw_buf_printf(to, "%d", *(const int16_t *)p);
        break;
    case RW_T_U16:
        rw_buf_printf(to, "%u", *(const uint16_t *)p);
        break;
    case RW_T_I32:
        rw_buf_printf(to, "%" PRId32, *(const int32_t *)p);
        break;
    case RW_T_U32:
        rw_buf_printf(to, "%" PRIu32, *(const uint32_t *)p);
        break;
    case RW_T_I64:
        rw_buf_printf(to, "%" PRId64, *(const int64_t *)p);
        break;
    case RW_T_F64: {
        uint64_t bits;
        memcpy(&bits, p, 8);
        rw_buf_printf(to, "f%016" PRIx64, bits);
        break;
    }
    case RW_T_UUID:
        dump_hex(to, 'u', p, 16);
        break;
    case RW_T_STRING: {
        const struct rw_str *s = p;
        dump_bytes(to, 's', s->n < 0 ? NULL : s->p, (size_t)s->n);
        break;
    }
    case RW_T_BYTES:
        dump_bytes(to, 'b', ((const struct rw_slice *)p)->p, ((const struct rw_slice *)p)->n);
        break;
    case RW_T_RECORDS:
        dump_bytes(to, 'b', ((const struct rw_wire_records *)p)->p,
                   ((const struct rw_wire_records *)p)->n);
        break;
    case RW_T_STRUCT:
        rw_test_dump_message(f->sub, version, p, to);
        break;
    }
}

static void dump_field(const struct rw_field *f, int version, const uint8_t *m, struct rw_buf *to)
{
    const void *p = m + f->offset;
    const uint8_t *at = NULL;
    if (f->flags & (RW_F_ARRAY | RW_F_POINTER))
        memcpy(&at, p, sizeof(at));
    if (f->flags & RW_F_ARRAY) {
        int32_t n;
        memcpy(&n, m + f->count, sizeof(n));
        rw_buf_add_str(to, n < 0 ? "null" : "[");
        for (int32_t i = 0; i < n; i++, at += rw_type_size(f)) {
            dump_value(f, version, at, to);
            rw_buf_add_str(to, ",");
        }
        rw_buf_add_str(to, n < 0 ? "" : "]");
    } else if (f->flags & RW_F_POINTER) {
        if (at)
            dump_value(f, version, at, to);
        else
            rw_buf_add_str(to, "null");
    } else {
        dump_value(f, version, p, to);
    }
}

void rw_test_dump_message(const struct rw_desc *d, int version, const void *m, struct rw_buf *to)
{
    rw_buf_add_str(to, "{");
    for (unsigned i = 0; i < (unsigned)d->n_ordinary + d->n_tagged; i++) {
        const struct rw_field *f = &d->fields[i];
        if (!rw_field_in(f, version))
            continue;
        for (const char *c = f->name; *c; c++)
            if (*c != '_')
                rw_buf_add_u8(to, (uint8_t)*c);
        rw_buf_add_str(to, "=");
        dump_field(f, version, m, to);
        rw_buf_add_str(to, ";");
    }
    rw_buf_add_str(to, "}");
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_hex(const char *hex, struct rw_test_line *ret)
{
    size_t n = strcmp(hex, "-") == 0 ? 0 : strlen(hex);
    if (n % 2)
        return -1;
    ret->n = n / 2;
    ret->bytes = rw_alloc(ret->n);
    for (size_t i = 0; ret->bytes && i < ret->n; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        ret->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return ret->bytes ? 1 : -1;
}

int rw_test_next_line(FILE *file, struct rw_test_line *ret)
{
    size_t cap = 0;
    *ret = (struct rw_test_line){0};
    do {
        ssize_t n = getline(&ret->text, &cap, file);
        if (n < 0)
            return 0;
        if (n && ret->text[n - 1] == '\n')
            ret->text[n - 1] = 0;
    } while (ret->text[0] == '#' || !ret->text[0]);
    char *save = NULL;
    const char *name = strtok_r(ret->text, " ", &save), *version = strtok_r(NULL, " ", &save);
    const char *hex = strtok_r(NULL, " ", &save);
    ret->dump = strtok_r(NULL, " ", &save);
    if (!hex)
        return -1;
    ret->desc = rw_message_find(name);
    ret->version = (int16_t)atoi(version);
    return ret->desc ? parse_hex(hex, ret) : -1;
}

void rw_test_line_deinit(struct rw_test_line *line)
{
    rw_free(line->bytes);
    free(line->text);
    *line = (struct rw_test_line){0};
}
