/* Which parser a line belongs to. A line that only looks like JSON, syslog or logfmt is text to RW_PIPE_AUTO, not a mistake. */
#include "pipe/parse.h"

#include "pipe/json.h"

bool rw_pipe_parser_named(const char *name, enum rw_pipe_parser *ret)
{
    static const char *const names[] = {"auto", "text", "json", "logfmt", "syslog"};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum rw_pipe_parser)i;
            return true;
        }
    return false;
}

static int text(struct rw_str line, struct rw_pipe_record *r)
{
    return rw_pipe_record_add(r, RW_STR_LIT("message"), RW_PIPE_STRING, line);
}

/* key= at the beginning, with a key as programs have them. */
static bool looks_like_logfmt(struct rw_str line)
{
    int32_t i = 0;
    if (line.n == 0 || (line.p[0] | 32) < 'a' || (line.p[0] | 32) > 'z')
        return false;
    while (i < line.n && line.p[i] > ' ' && line.p[i] != '=' && line.p[i] != '"')
        i++;
    return i < line.n && line.p[i] == '=';
}

static enum rw_pipe_parser guess(struct rw_str line)
{
    int32_t i = 0;
    while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    if (i < line.n && line.p[i] == '{')
        return RW_PIPE_JSON;
    if (i + 1 < line.n && line.p[i] == '<' && line.p[i + 1] >= '0' && line.p[i + 1] <= '9')
        return RW_PIPE_SYSLOG;
    return looks_like_logfmt(line) ? RW_PIPE_LOGFMT : RW_PIPE_TEXT;
}

int rw_pipe_parse(enum rw_pipe_parser parser, const struct rw_pipe_pattern *pattern,
                  struct rw_str line, struct rw_pipe_record *r, struct rw_err *err)
{
    enum rw_pipe_parser as = parser == RW_PIPE_AUTO ? guess(line) : parser;
    int rc = RW_OK;
    rw_pipe_record_clear(r);
    switch (as) {
    case RW_PIPE_AUTO:
    case RW_PIPE_TEXT:
        return text(line, r);
    case RW_PIPE_JSON:
        rc = rw_pipe_json_object(line, r, err);
        break;
    case RW_PIPE_LOGFMT:
        rc = rw_pipe_parse_logfmt(line, r, err);
        break;
    case RW_PIPE_SYSLOG:
        rc = rw_pipe_parse_syslog(line, r, err);
        break;
    case RW_PIPE_PATTERN:
        rc = rw_pipe_parse_pattern(pattern, line, r, err);
        break;
    }
    if (parser != RW_PIPE_AUTO || rc == RW_OK || rc == RW_E_NOMEM)
        return rc;
    rw_pipe_record_clear(r);
    return text(line, r);
}
