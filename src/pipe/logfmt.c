/* logfmt: key=value, key="value with \"escapes\"", and a key alone, which is true. */
#include "base/utf8.h"
#include "pipe/parse.h"

struct reader {
    struct rw_str line;
    int32_t at;
    struct rw_pipe_record *r;
    struct rw_err *err;
};

static int wrong(const struct reader *in, int32_t at, const char *what)
{
    return rw_err_set(in->err, RW_E_INVAL, "character %d: %s", (int)at + 1, what);
}

static char unescaped(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* \u00e9, as Go's writers have it. False: it is none. */
static bool unicode(const struct reader *in, char *out, int32_t *n)
{
    uint32_t v = 0;
    uint8_t bytes[4];
    if (in->line.n - in->at < 5 || in->line.p[in->at] != 'u')
        return false;
    for (int i = 1; i <= 4; i++) {
        char c = in->line.p[in->at + i], low = (char)(c | 32);
        int d = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (d < 0)
            return false;
        v = v * 16 + (uint32_t)d;
    }
    size_t more = rw_utf8_put(bytes, v);
    memcpy(out + *n, bytes, more);
    *n += (int32_t)more;
    return more > 0;
}

/* From behind the opening quote. */
static int quoted(struct reader *in, struct rw_str *ret)
{
    int32_t from = in->at, end = from, n = 0;
    bool escapes = false;
    while (end < in->line.n && in->line.p[end] != '"') {
        if (in->line.p[end] == '\\') {
            escapes = true;
            end++;
        }
        end++;
    }
    if (end >= in->line.n)
        return wrong(in, from - 1, "a quote is not closed");
    in->at = end + 1;
    *ret = (struct rw_str){in->line.p + from, end - from};
    if (!escapes)
        return RW_OK;
    char *out = rw_arena_alloc(&in->r->arena, (size_t)(end - from));
    if (!out)
        return RW_E_TOO_BIG;
    for (in->at = from; in->at < end; in->at++) {
        if (in->line.p[in->at] != '\\') {
            out[n++] = in->line.p[in->at];
            continue;
        }
        in->at++;
        if (unicode(in, out, &n))
            in->at += 4;
        else
            out[n++] = unescaped(in->line.p[in->at]);
    }
    in->at = end + 1;
    *ret = (struct rw_str){out, n};
    return RW_OK;
}

static int pair(struct reader *in)
{
    int32_t from = in->at;
    const char *p = in->line.p;
    while (in->at < in->line.n && p[in->at] != ' ' && p[in->at] != '\t' && p[in->at] != '=' &&
           p[in->at] != '"')
        in->at++;
    struct rw_str name = {p + from, in->at - from}, text;
    if (name.n == 0)
        return wrong(in, from, "a name was expected");
    if (in->at == in->line.n || p[in->at] == ' ' || p[in->at] == '\t')
        return rw_pipe_record_add(in->r, name, RW_PIPE_BOOL, RW_STR_LIT("true"));
    if (p[in->at] == '"')
        return wrong(in, in->at, "a quote in a name");
    in->at++;
    if (in->at < in->line.n && p[in->at] == '"') {
        in->at++;
        int rc = quoted(in, &text);
        if (!rc && in->at < in->line.n && p[in->at] != ' ' && p[in->at] != '\t')
            rc = wrong(in, in->at, "a blank was expected behind the quote");
        return rc ? rc : rw_pipe_record_add(in->r, name, RW_PIPE_STRING, text);
    }
    from = in->at;
    while (in->at < in->line.n && p[in->at] != ' ' && p[in->at] != '\t')
        in->at++;
    return rw_pipe_record_add_bare(in->r, name, (struct rw_str){p + from, in->at - from});
}

int rw_pipe_parse_logfmt(struct rw_str line, struct rw_pipe_record *r, struct rw_err *err)
{
    struct reader in = {line, 0, r, err};
    bool values = false;
    for (;;) {
        while (in.at < line.n && (line.p[in.at] == ' ' || line.p[in.at] == '\t'))
            in.at++;
        if (in.at == line.n)
            break;
        int rc = pair(&in);
        if (rc == RW_E_TOO_BIG)
            return rw_err_set(err, rc, "more than %d fields, or too much of them",
                              RW_PIPE_FIELDS_MAX);
        if (rc)
            return rc;
        values |= memchr(line.p, '=', (size_t)in.at) != NULL;
    }
    /* Words alone are a sentence, not logfmt. */
    return values ? RW_OK : rw_err_set(err, RW_E_INVAL, "no name=value in the line");
}
