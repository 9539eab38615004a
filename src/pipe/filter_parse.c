/* The language of filters: words, quoted text and operators; "not" binds closer than "and", that closer than "or". */
#include <strings.h>
#include "base/mem.h"
#include "pipe/filter_private.h"

struct reader {
    struct rw_pipe_filter *f;
    struct rw_str text;
    int32_t at;
    int depth;
    struct rw_err *err;
};

static int wrong(const struct reader *in, int32_t at, const char *what)
{
    return rw_err_set(in->err, RW_E_INVAL, "character %d: %s", (int)at + 1, what);
}

static void blanks(struct reader *in)
{
    while (in->at < in->text.n && strchr(" \t\r\n", in->text.p[in->at]) && in->text.p[in->at])
        in->at++;
}

static bool is_word(char c)
{
    return c && !strchr(" \t\r\n()=!<>~\"'", c);
}

/* The word `what` here, not only as the beginning of a longer one; `and=1` is a field called so. */
static bool take_word(struct reader *in, const char *what)
{
    int32_t n = (int32_t)strlen(what);
    blanks(in);
    if (in->text.n - in->at < n || strncasecmp(in->text.p + in->at, what, (size_t)n) != 0 ||
        (in->at + n < in->text.n && is_word(in->text.p[in->at + n])))
        return false;
    int32_t next = in->at + n;
    while (next < in->text.n && in->text.p[next] == ' ')
        next++;
    if (next < in->text.n && in->text.p[next] && strchr("=!<>~", in->text.p[next]))
        return false;
    in->at += n;
    return true;
}

static int node(struct reader *in, enum rw_pipe_op op, int left, int right, int *ret)
{
    if (in->f->n == RW_PIPE_NODES_MAX)
        return wrong(in, in->at, "the filter is too long");
    in->f->nodes[in->f->n] =
        (struct rw_pipe_node){.op = op, .left = left, .right = right, .level = -1};
    *ret = in->f->n++;
    return RW_OK;
}

/* A word, or text in quotes: \\ and the quote itself are escaped by a backslash, what else it stands before keeps it. */
static int text_of(struct reader *in, const char *expected, struct rw_str *ret)
{
    blanks(in);
    int32_t from = in->at, n = 0;
    char quote = in->at < in->text.n ? in->text.p[in->at] : 0;
    if (quote != '"' && quote != '\'') {
        while (in->at < in->text.n && is_word(in->text.p[in->at]))
            in->at++;
        *ret = (struct rw_str){in->text.p + from, in->at - from};
        return ret->n ? RW_OK : wrong(in, from, expected);
    }
    char *out = rw_arena_alloc(&in->f->arena, (size_t)(in->text.n - from));
    if (!out)
        return RW_E_NOMEM;
    for (in->at++; in->at < in->text.n && in->text.p[in->at] != quote; in->at++) {
        char next = in->at + 1 < in->text.n ? in->text.p[in->at + 1] : 0;
        if (in->text.p[in->at] == '\\' && (next == quote || next == '\\'))
            in->at++;
        out[n++] = in->text.p[in->at];
    }
    if (in->at == in->text.n)
        return wrong(in, from, "a quote is not closed");
    in->at++;
    *ret = (struct rw_str){out, n};
    return RW_OK;
}

static bool take_operator(struct reader *in, enum rw_pipe_op *ret)
{
    static const struct {
        const char *text;
        enum rw_pipe_op op;
    } operators[] = {{"=~", RW_PIPE_OP_REGEX}, {"==", RW_PIPE_OP_EQ}, {"=", RW_PIPE_OP_EQ},
                     {"!=", RW_PIPE_OP_NE},    {"<=", RW_PIPE_OP_LE}, {"<", RW_PIPE_OP_LT},
                     {">=", RW_PIPE_OP_GE},    {">", RW_PIPE_OP_GT},  {"~", RW_PIPE_OP_CONTAINS}};
    blanks(in);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        int32_t n = (int32_t)strlen(operators[i].text);
        if (in->text.n - in->at >= n &&
            memcmp(in->text.p + in->at, operators[i].text, (size_t)n) == 0) {
            in->at += n;
            *ret = operators[i].op;
            return true;
        }
    }
    return false;
}

static int prepare_value(struct reader *in, int32_t at, struct rw_pipe_node *n)
{
    char error[120] = "";
    bool ordered = n->op != RW_PIPE_OP_REGEX && n->op != RW_PIPE_OP_CONTAINS;
    n->is_number = ordered && rw_pipe_number(n->value, &n->number);
    if (ordered && rw_pipe_is_level(n->name)) {
        n->level = rw_pipe_level(n->value);
        if (n->level < 0 && !n->is_number && n->op != RW_PIPE_OP_EQ && n->op != RW_PIPE_OP_NE)
            return wrong(in, at,
                         "no level has this name: trace, debug, info, notice, warn, error, "
                         "critical, alert, fatal");
    }
    if (n->op != RW_PIPE_OP_REGEX)
        return RW_OK;
    const char *pattern = rw_arena_cstr(&in->f->arena, n->value);
    if (!pattern)
        return RW_E_NOMEM;
    n->regex = in->f->regex->compile(pattern, error);
    return n->regex ? RW_OK : wrong(in, at, error);
}

static int comparison(struct reader *in, int *ret)
{
    struct rw_str name;
    enum rw_pipe_op op;
    int rc = text_of(in, "the name of a field was expected", &name);
    if (rc)
        return rc;
    bool compares = take_operator(in, &op);
    if (!compares) {
        blanks(in);
        if (in->at < in->text.n && in->text.p[in->at] == '!')
            return wrong(in, in->at, "an operator was expected: = != < <= > >= ~ =~");
    }
    rc = node(in, compares ? op : RW_PIPE_OP_EXISTS, -1, -1, ret);
    if (rc)
        return rc;
    struct rw_pipe_node *n = &in->f->nodes[*ret];
    n->name = name;
    if (!compares)
        return RW_OK;
    blanks(in);
    int32_t at = in->at;
    rc = text_of(in, "a value was expected", &n->value);
    return rc ? rc : prepare_value(in, at, n);
}

static int either(struct reader *in, int *ret);

static int term(struct reader *in, int *ret)
{
    int rc, inner;
    if (++in->depth > RW_PIPE_FILTER_DEPTH_MAX)
        return wrong(in, in->at, "nested too deeply");
    if (take_word(in, "not")) {
        rc = term(in, &inner);
        if (!rc)
            rc = node(in, RW_PIPE_OP_NOT, inner, -1, ret);
    } else if (blanks(in), in->at < in->text.n && in->text.p[in->at] == '(') {
        int32_t open = in->at++;
        rc = either(in, ret);
        blanks(in);
        if (!rc && (in->at == in->text.n || in->text.p[in->at] != ')'))
            rc = in->at == in->text.n
                     ? wrong(in, open, "this parenthesis is not closed")
                     : wrong(in, in->at, "and, or, or a closing parenthesis was expected");
        in->at++;
    } else {
        rc = comparison(in, ret);
    }
    in->depth--;
    return rc;
}

static int both(struct reader *in, int *ret)
{
    int rc = term(in, ret), right;
    while (!rc && take_word(in, "and")) {
        rc = term(in, &right);
        if (!rc)
            rc = node(in, RW_PIPE_OP_AND, *ret, right, ret);
    }
    return rc;
}

static int either(struct reader *in, int *ret)
{
    int rc = both(in, ret), right;
    while (!rc && take_word(in, "or")) {
        rc = both(in, &right);
        if (!rc)
            rc = node(in, RW_PIPE_OP_OR, *ret, right, ret);
    }
    return rc;
}

int rw_pipe_filter_new(struct rw_str text, const struct rw_pipe_regex *regex,
                       struct rw_pipe_filter **ret, struct rw_err *err)
{
    struct rw_pipe_filter *f = rw_zalloc(sizeof(*f));
    if (!f)
        return RW_E_NOMEM;
    f->regex = regex;
    rw_arena_init(&f->arena, 0);
    char *copy = rw_arena_cstr(&f->arena, text); /* names and values are views into it */
    struct reader in = {f, {copy, text.n}, 0, 0, err};
    int rc = copy ? either(&in, &f->root) : RW_E_NOMEM;
    if (!rc)
        blanks(&in);
    if (!rc && in.at < in.text.n)
        rc = wrong(&in, in.at, "and, or, or the end was expected");
    if (rc) {
        rw_pipe_filter_free(f);
        return rc;
    }
    *ret = f;
    return RW_OK;
}
