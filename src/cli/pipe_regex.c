/* What a pipe's filter knows of regular expressions. */
#include <string.h>
#include "cli/pipe.h"
#include "cli/regex.h"

_Static_assert(RW_REGEX_WHY == 120, "the words of struct rw_pipe_regex");

static void *compile(const char *pattern, char error[120])
{
    struct rw_regex *r = NULL;
    return rw_regex_new(pattern, strlen(pattern), RW_REGEX_ANYWHERE, &r, error) == RW_OK ? r : NULL;
}

static int match(void *regex, struct rw_str text)
{
    size_t end;
    return rw_regex_match(regex, text.p, (size_t)text.n, &end);
}

static void release(void *regex)
{
    rw_regex_free(regex);
}

const struct rw_pipe_regex rw_pipe_regex = {compile, match, release};
