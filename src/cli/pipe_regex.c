/* POSIX extended regular expressions for the filter of a pipe. */
#include <regex.h>
#include "base/mem.h"
#include "cli/pipe.h"

static void *compile(const char *pattern, char error[120])
{
    regex_t *r = rw_alloc(sizeof(*r));
    if (!r) {
        snprintf(error, 120, "out of memory");
        return NULL;
    }
    int rc = regcomp(r, pattern, REG_EXTENDED | REG_NOSUB);
    if (!rc)
        return r;
    regerror(rc, r, error, 120);
    rw_free(r);
    return NULL;
}

/* REG_STARTEND: text has no NUL at its end, and may have some inside. */
static bool match(void *regex, struct rw_str text)
{
    regmatch_t range = {.rm_so = 0, .rm_eo = text.n};
    return regexec(regex, text.p, 0, &range, REG_STARTEND) == 0;
}

static void release(void *regex)
{
    regfree(regex);
    rw_free(regex);
}

const struct rw_pipe_regex rw_pipe_posix_regex = {compile, match, release};
