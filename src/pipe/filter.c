/* Records against a filter. Its depth is bounded by the parser, so recursion is. */
#include "base/mem.h"
#include "pipe/filter_private.h"

void rw_pipe_filter_free(struct rw_pipe_filter *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->n; i++)
        if (f->nodes[i].regex)
            f->regex->free(f->nodes[i].regex);
    rw_arena_deinit(&f->arena);
    rw_free(f);
}

static int compare_bytes(struct rw_str a, struct rw_str b)
{
    size_t n = (size_t)(a.n < b.n ? a.n : b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* False: they can not be put in an order, as a level and a word that is none. */
static bool order(const struct rw_pipe_node *n, const struct rw_pipe_value *v, int *ret)
{
    double number;
    if (n->level >= 0) {
        int level = rw_pipe_level(v->text);
        *ret = (level > n->level) - (level < n->level);
        return level >= 0;
    }
    if (n->is_number && rw_pipe_number(v->text, &number)) {
        *ret = (number > n->number) - (number < n->number);
        return true;
    }
    *ret = compare_bytes(v->text, n->value);
    /* Beside a number only equality has a meaning. */
    return !n->is_number || n->op == RW_PIPE_OP_EQ || n->op == RW_PIPE_OP_NE;
}

static bool contains(struct rw_str text, struct rw_str what)
{
    if (what.n == 0)
        return true;
    for (int32_t i = 0; i + what.n <= text.n; i++) {
        const char *p = memchr(text.p + i, what.p[0], (size_t)(text.n - what.n - i) + 1);
        if (!p)
            return false;
        if (memcmp(p, what.p, (size_t)what.n) == 0)
            return true;
        i = (int32_t)(p - text.p);
    }
    return false;
}

static int compare(const struct rw_pipe_filter *f, const struct rw_pipe_node *n,
                   struct rw_pipe_record *r)
{
    struct rw_pipe_value v;
    int c = 0;
    if (!rw_pipe_record_get(r, n->name, &v) || v.kind == RW_PIPE_NULL)
        return n->op == RW_PIPE_OP_NE;
    switch (n->op) {
    case RW_PIPE_OP_EXISTS:
        return true;
    case RW_PIPE_OP_CONTAINS:
        return contains(v.text, n->value);
    case RW_PIPE_OP_REGEX:
        return f->regex->match(n->regex, v.text);
    case RW_PIPE_OP_EQ:
        return order(n, &v, &c) && c == 0;
    case RW_PIPE_OP_NE:
        return !order(n, &v, &c) || c != 0;
    case RW_PIPE_OP_LT:
        return order(n, &v, &c) && c < 0;
    case RW_PIPE_OP_LE:
        return order(n, &v, &c) && c <= 0;
    case RW_PIPE_OP_GT:
        return order(n, &v, &c) && c > 0;
    case RW_PIPE_OP_GE:
        return order(n, &v, &c) && c >= 0;
    case RW_PIPE_OP_AND:
    case RW_PIPE_OP_OR:
    case RW_PIPE_OP_NOT:
        break;
    }
    return false;
}

static int holds(const struct rw_pipe_filter *f, int i, struct rw_pipe_record *r)
{
    const struct rw_pipe_node *n = &f->nodes[i];
    int is;
    switch (n->op) {
    case RW_PIPE_OP_AND:
        is = holds(f, n->left, r);
        return is == 1 ? holds(f, n->right, r) : is;
    case RW_PIPE_OP_OR:
        is = holds(f, n->left, r);
        return is == 0 ? holds(f, n->right, r) : is;
    case RW_PIPE_OP_NOT:
        is = holds(f, n->left, r);
        return is < 0 ? is : !is;
    case RW_PIPE_OP_EXISTS:
    case RW_PIPE_OP_EQ:
    case RW_PIPE_OP_NE:
    case RW_PIPE_OP_LT:
    case RW_PIPE_OP_LE:
    case RW_PIPE_OP_GT:
    case RW_PIPE_OP_GE:
    case RW_PIPE_OP_CONTAINS:
    case RW_PIPE_OP_REGEX:
        break;
    }
    return compare(f, n, r);
}

int rw_pipe_filter_match(const struct rw_pipe_filter *f, struct rw_pipe_record *r)
{
    return holds(f, f->root, r);
}
