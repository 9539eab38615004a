/* The checkpoint's text. Nothing in it is believed without its checksum. */
#include "pipe/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/crc32c.h"
#include "base/mem.h"

enum { CRC_LINE = 13 }; /* "crc 01234567\n" */

void rw_pipe_progress_init(struct rw_pipe_progress *p)
{
    *p = (struct rw_pipe_progress){.topic_id = "-"};
}

void rw_pipe_progress_deinit(struct rw_pipe_progress *p)
{
    rw_free(p->offsets);
    p->offsets = NULL;
    p->n = 0;
}

int rw_pipe_progress_set(struct rw_pipe_progress *p, int32_t partition, int64_t next)
{
    if (partition < 0 || partition >= RW_PIPE_PARTITIONS_MAX)
        return RW_E_TOO_BIG;
    if (partition >= p->n) {
        int64_t *grown = rw_realloc_array(p->offsets, (size_t)partition + 1, sizeof(*grown));
        if (!grown)
            return RW_E_NOMEM;
        p->offsets = grown;
        while (p->n <= partition)
            grown[p->n++] = -1;
    }
    p->offsets[partition] = next;
    return RW_OK;
}

int64_t rw_pipe_progress_get(const struct rw_pipe_progress *p, int32_t partition)
{
    return partition >= 0 && partition < p->n ? p->offsets[partition] : -1;
}

void rw_pipe_progress_write(const struct rw_pipe_progress *p, struct rw_buf *out)
{
    size_t from = out->n;
    rw_buf_printf(out, "rollway-pipe 1\ntopic %s %s\n", p->topic, p->topic_id);
    if (p->has_file)
        rw_buf_printf(out, "file %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                      p->device, p->inode, p->length, p->tail, p->tail_crc);
    for (int i = 0; i < p->n; i++)
        if (p->offsets[i] >= 0)
            rw_buf_printf(out, "offset %d %" PRId64 "\n", i, p->offsets[i]);
    if (!out->failed)
        rw_buf_printf(out, "crc %08" PRIx32 "\n", rw_crc32c(0, out->p + from, out->n - from));
}

/* A number and the one character behind it. False: there is none, or it does not fit. */
static bool number(const char **p, const char *end, char behind, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    const char *from = *p;
    while (*p < end && **p >= '0' && **p <= '9') {
        unsigned d = (unsigned)(**p - '0');
        if (v > (max - d) / 10)
            return false;
        v = v * 10 + d;
        ++*p;
    }
    if (*p == from || *p == end || **p != behind)
        return false;
    ++*p;
    *ret = v;
    return true;
}

/* A word without blanks into a buffer of that size, and the character behind it. */
static bool word(const char **p, const char *end, char behind, char *ret, size_t size)
{
    size_t n = 0;
    while (*p < end && **p != ' ' && **p != '\n') {
        if (n + 1 == size || **p == 0)
            return false;
        ret[n++] = *(*p)++;
    }
    if (n == 0 || *p == end || **p != behind)
        return false;
    ++*p;
    ret[n] = 0;
    return true;
}

static bool take(const char **p, const char *end, const char *what)
{
    size_t n = strlen(what);
    if ((size_t)(end - *p) < n || memcmp(*p, what, n) != 0)
        return false;
    *p += n;
    return true;
}

static bool sums_up(struct rw_str text)
{
    char line[CRC_LINE + 1];
    if (text.n < CRC_LINE)
        return false;
    size_t n = (size_t)text.n - CRC_LINE;
    snprintf(line, sizeof(line), "crc %08" PRIx32 "\n", rw_crc32c(0, text.p, n));
    return memcmp(text.p + n, line, CRC_LINE) == 0;
}

int rw_pipe_progress_read(struct rw_str text, struct rw_pipe_progress *r)
{
    const char *p = text.p, *end = text.p + text.n;
    uint64_t partition, next;
    if (!take(&p, end, "rollway-pipe 1\n"))
        return take(&p, end, "rollway-pipe ") ? RW_E_UNSUPPORTED : RW_E_CORRUPT;
    if (!sums_up(text))
        return RW_E_CORRUPT;
    end -= CRC_LINE;
    if (!take(&p, end, "topic ") || !word(&p, end, ' ', r->topic, sizeof(r->topic)) ||
        !word(&p, end, '\n', r->topic_id, sizeof(r->topic_id)))
        return RW_E_CORRUPT;
    r->has_file = take(&p, end, "file ");
    if (r->has_file && (!number(&p, end, ' ', UINT64_MAX, &r->device) ||
                        !number(&p, end, ' ', UINT64_MAX, &r->inode) ||
                        !number(&p, end, ' ', UINT64_MAX, &r->length) ||
                        !number(&p, end, ' ', RW_PIPE_TAIL, &r->tail) ||
                        !number(&p, end, '\n', UINT32_MAX, &r->tail_crc) || r->tail > r->length))
        return RW_E_CORRUPT;
    while (p < end) {
        if (!take(&p, end, "offset ") ||
            !number(&p, end, ' ', RW_PIPE_PARTITIONS_MAX - 1, &partition) ||
            !number(&p, end, '\n', INT64_MAX, &next))
            return RW_E_CORRUPT;
        int rc = rw_pipe_progress_set(r, (int32_t)partition, (int64_t)next);
        if (rc)
            return rc;
    }
    return RW_OK;
}
