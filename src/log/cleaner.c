/*
 * What Kafka's log cleaner says about a directory: which partitions it has compacted. It makes gaps between
 * offsets, and knows nothing of the mark that says there are none (state.h).
 */
#include "log/state.h"

#include <string.h>

#include "log/checkpoint.h"

#define CLEANER_NAME "cleaner-offset-checkpoint"

struct search {
    char want[256]; /* "topic 3 ", as such a line begins */
    bool found;
};

static int look(void *arg, char *line)
{
    struct search *s = arg;
    s->found |= strncmp(line, s->want, strlen(s->want)) == 0;
    return RW_OK;
}

/* The directory without slashes at its end, and where its name begins in it. */
static const char *split(const struct rw_log *log, struct rw_path *ret_dir)
{
    size_t n = strlen(log->dir);
    while (n > 1 && log->dir[n - 1] == '/')
        n--;
    if (n >= sizeof(ret_dir->s))
        return NULL;
    memcpy(ret_dir->s, log->dir, n);
    ret_dir->s[n] = 0;
    const char *slash = strrchr(ret_dir->s, '/');
    return slash ? slash + 1 : ret_dir->s;
}

int rw_log_was_cleaned(const struct rw_log *log, bool *ret_cleaned)
{
    struct rw_path dir, parent, path;
    struct search s = {.found = false};
    struct rw_buf text;
    *ret_cleaned = false;
    const char *name = split(log, &dir);
    const char *dash = name ? strrchr(name, '-') : NULL;
    if (!dash || strlen(name) + 2 > sizeof(s.want))
        return RW_OK; /* no partition's directory: Kafka would not take it either */
    memcpy(s.want, name, strlen(name));
    s.want[dash - name] = ' ';
    s.want[strlen(name)] = ' ';
    rw_buf_init(&text);
    int rc = rw_path_parent(&parent, dir.s);
    if (!rc)
        rc = rw_path_join(&path, parent.s, CLEANER_NAME, NULL);
    if (!rc)
        rc = rw_file_load(log->env, path.s, &text);
    if (!rc)
        rc = rw_checkpoint_parse((const char *)text.p, text.n, look, &s);
    rw_buf_deinit(&text);
    /* There is one, and nobody knows what it says: it may be this partition. */
    *ret_cleaned = s.found || (rc && rc != RW_E_NOT_FOUND);
    return rc == RW_E_NOMEM ? rc : RW_OK;
}
