/* Partition lists and topic lists. */
#include "cli/ranges.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "cli/regex.h"

#define PARTITION_MAX 100000

static bool number(const char **at, int32_t *ret)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    long v = strtol(*at, &end, 10);
    if (v > PARTITION_MAX)
        return false;
    *at = end;
    *ret = (int32_t)v;
    return true;
}

bool rw_parse_partitions(const char *text, struct rw_int_list *list)
{
    const char *at = text;
    for (;;) {
        int32_t from, to;
        if (!number(&at, &from))
            return false;
        to = from;
        if (*at == '-') {
            at++;
            if (!number(&at, &to) || to < from)
                return false;
        }
        int32_t *v = rw_realloc_array(list->v, (size_t)(list->n + to - from + 1), sizeof(*v));
        if (!v)
            return false;
        list->v = v;
        for (; from <= to; from++)
            v[list->n++] = from;
        if (*at == 0)
            return true;
        if (*at++ != ',')
            return false;
    }
}

void rw_name_list_deinit(struct rw_name_list *l)
{
    for (int i = 0; i < l->n; i++)
        rw_free(l->v[i]);
    rw_free(l->v);
    *l = (struct rw_name_list){NULL, 0};
}

int rw_name_list_add(struct rw_name_list *l, const char *name)
{
    char **v = rw_realloc_array(l->v, (size_t)l->n + 1, sizeof(*v));
    if (!v)
        return RW_E_NOMEM;
    l->v = v;
    v[l->n] = rw_strdup(name);
    if (!v[l->n])
        return RW_E_NOMEM;
    l->n++;
    return RW_OK;
}

static bool has_name(const struct rw_name_list *l, const char *name)
{
    for (int i = 0; i < l->n; i++)
        if (strcmp(l->v[i], name) == 0)
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compile(struct rw_cli_client *c, const char *text, struct rw_regex **ret)
{
    char why[RW_REGEX_WHY];
    return rw_regex_new(text, strlen(text), RW_REGEX_WHOLE, ret, why) == RW_OK
               ? RW_EXIT_OK
               : rw_cli_usage(c->cli, "\"%s\" is no regular expression: %s", text, why);
}

/* All topics of the cache that match; `expression` NULL: all. */
static int match(struct rw_cli_client *c, const char *expression, bool internal,
                 struct rw_name_list *l)
{
    struct rw_regex *re = NULL;
    size_t end;
    int rc = expression ? compile(c, expression, &re) : RW_EXIT_OK;
    if (rc != RW_EXIT_OK)
        return rc;
    for (int i = 0; i < c->cluster->n_topics && rc == RW_EXIT_OK; i++) {
        const struct rw_topic *t = c->cluster->topics[i];
        if ((t->internal && !internal) || has_name(l, t->name) ||
            (re && rw_regex_match(re, t->name, strlen(t->name), &end) != 1))
            continue;
        if (rw_name_list_add(l, t->name) != RW_OK)
            rc = rw_cli_fail(c->cli, RW_EXIT_FAILED, NULL, "out of memory");
    }
    rw_regex_free(re);
    return rc;
}

int rw_cli_topics(struct rw_cli_client *c, int first, bool regex, bool internal,
                  struct rw_name_list *ret_list)
{
    int n = rw_cli_operand_count(c->cli), rc = RW_EXIT_OK;
    if (n > first && !regex) {
        for (int i = first; i < n; i++)
            if (!has_name(ret_list, rw_cli_operand(c->cli, i)) &&
                rw_name_list_add(ret_list, rw_cli_operand(c->cli, i)) != RW_OK)
                return rw_cli_fail(c->cli, RW_EXIT_FAILED, NULL, "out of memory");
        return RW_EXIT_OK;
    }
    int asked = rw_cluster_refresh(c->cluster, NULL, -1, false, &c->err);
    if (asked != RW_OK)
        return rw_cli_client_fail(c, asked);
    if (n <= first)
        rc = match(c, NULL, internal, ret_list);
    for (int i = first; i < n && rc == RW_EXIT_OK; i++)
        rc = match(c, rw_cli_operand(c->cli, i), internal, ret_list);
    if (ret_list->n > 1)
        qsort(ret_list->v, (size_t)ret_list->n, sizeof(*ret_list->v), by_name);
    return rc;
}
