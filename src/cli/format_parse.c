/* The format mini-language: from text to tokens. */
#include "cli/format.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "cli/regex.h"

static const char text_fields[] = "tkv";
static const char number_fields[] = "TKVHpoedxyi[|]";

struct parse {
    const char *text, *at;
    bool kcat;
    int depth;
    char *error;
    struct rw_format *out;
    struct rw_buf literal;
};

static int wrong(struct parse *p, const char *what)
{
    snprintf(p->error, 160, "%s at character %d of the format", what, (int)(p->at - p->text) + 1);
    return RW_E_INVAL;
}

static int add(struct parse *p, struct rw_format_token t)
{
    struct rw_format_token *tokens =
        rw_realloc_array(p->out->tokens, (size_t)p->out->n_tokens + 1, sizeof(*tokens));
    if (!tokens)
        return RW_E_NOMEM;
    p->out->tokens = tokens;
    tokens[p->out->n_tokens++] = t;
    return RW_OK;
}

static int flush_literal(struct parse *p)
{
    if (p->literal.n == 0)
        return RW_OK;
    char *copy = rw_memdup(p->literal.p, p->literal.n);
    if (!copy)
        return RW_E_NOMEM;
    struct rw_format_token t = {.literal = copy, .literal_n = p->literal.n};
    rw_buf_clear(&p->literal);
    int rc = add(p, t);
    if (rc != RW_OK)
        rw_free(copy);
    return rc;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

/* at: behind the backslash. */
static int escape(struct parse *p)
{
    static const char letters[] = "tnr\\0";
    static const char bytes[] = {'\t', '\n', '\r', '\\', 0};
    const char *known = *p->at ? strchr(letters, *p->at) : NULL;
    if (known) {
        rw_buf_add_u8(&p->literal, (uint8_t)bytes[known - letters]);
        p->at++;
        return RW_OK;
    }
    int high = *p->at == 'x' ? hex_digit(p->at[1]) : -1, low = high < 0 ? -1 : hex_digit(p->at[2]);
    if (low < 0)
        return wrong(p, "unknown escape (\\t \\n \\r \\\\ \\xNN)");
    rw_buf_add_u8(&p->literal, (uint8_t)(high << 4 | low));
    p->at += 3;
    return RW_OK;
}

/* "{...}" at `at`, braces inside in pairs: what is between them. *ret_n -1: no brace here. */
static int braces(struct parse *p, const char **ret_text, int *ret_n)
{
    *ret_n = -1;
    if (*p->at != '{')
        return RW_OK;
    const char *start = p->at + 1;
    int depth = 1;
    const char *at = start;
    for (; *at && depth > 0; at++) {
        if (at[0] == '%' && (at[1] == '{' || at[1] == '}'))
            at++;
        else if (*at == '{')
            depth++;
        else if (*at == '}')
            depth--;
    }
    if (depth > 0)
        return wrong(p, "a brace is not closed");
    *ret_text = start;
    *ret_n = (int)(at - 1 - start);
    p->at = at;
    return RW_OK;
}

static bool is(const char *s, int n, const char *word)
{
    return strlen(word) == (size_t)n && memcmp(s, word, (size_t)n) == 0;
}

static bool width(const char *s, int n, const char *name, int *ret_bits)
{
    static const int known[] = {4, 8, 16, 32, 64};
    size_t len = strlen(name);
    for (size_t i = 0; i < RW_COUNT(known); i++) {
        char word[16];
        snprintf(word, sizeof(word), "%s%d", name, known[i]);
        if (is(s, n, word) && (size_t)n > len) {
            *ret_bits = known[i];
            return true;
        }
    }
    return false;
}

static bool text_mode(const char *s, int n, struct rw_format_token *t)
{
    if (is(s, n, "hex"))
        t->mode = RW_FORMAT_HEX;
    else if (is(s, n, "base64"))
        t->mode = RW_FORMAT_BASE64;
    else if (is(s, n, "base64raw"))
        t->mode = RW_FORMAT_BASE64_RAW;
    else if (is(s, n, "json"))
        t->mode = RW_FORMAT_JSON;
    else
        return n == 0;
    return true;
}

static bool number_mode(const char *s, int n, struct rw_format_token *t)
{
    if (n == 0 || is(s, n, "ascii") || is(s, n, "number"))
        return true;
    if (is(s, n, "byte")) {
        t->mode = RW_FORMAT_BIG;
        t->bits = 8;
    } else if (is(s, n, "bool")) {
        t->mode = RW_FORMAT_BOOL;
    } else if (width(s, n, "hex", &t->bits)) {
        t->mode = RW_FORMAT_HEX;
    } else if (width(s, n, "big", &t->bits)) {
        t->mode = RW_FORMAT_BIG;
    } else if (width(s, n, "little", &t->bits)) {
        t->mode = RW_FORMAT_LITTLE;
    } else {
        return false;
    }
    return t->mode == RW_FORMAT_HEX || t->bits != 4;
}

static int copy_literal(struct rw_format_token *t, const char *s, int n)
{
    t->literal = rw_zalloc((size_t)n + 1);
    if (!t->literal)
        return RW_E_NOMEM;
    memcpy(t->literal, s, (size_t)n);
    t->literal_n = (size_t)n;
    return RW_OK;
}

/* "name[...]" or "name#...#": what is between. */
static bool bracketed(const char *s, int n, const char *name, const char **ret, int *ret_n)
{
    int len = (int)strlen(name);
    if (n < len + 3 || memcmp(s, name, (size_t)len) != 0)
        return false;
    if (!(s[len] == '[' && s[n - 1] == ']') && !(s[len] == '#' && s[n - 1] == '#'))
        return false;
    *ret = s + len + 1;
    *ret_n = n - len - 2;
    return true;
}

/* A field begins where the one before it ended. */
static int take_regex(struct parse *p, struct rw_format_token *t, const char *s, int n)
{
    char why[RW_REGEX_WHY];
    int rc = rw_regex_new(s, (size_t)n, RW_REGEX_AT_START, &t->regex, why);
    if (rc)
        return rc == RW_E_NOMEM ? rc : wrong(p, "this is no regular expression, before");
    t->mode = RW_FORMAT_REGEX;
    return RW_OK;
}

static int take_unpack(struct parse *p, struct rw_format_token *t, const char *s, int n)
{
    int rc = copy_literal(t, s, n);
    t->mode = RW_FORMAT_UNPACK;
    if (rc == RW_OK && !rw_format_unpack_check(t->literal))
        rc = wrong(p, "unpack[] knows < > x b B h H i I q Q c . s $; before");
    return rc;
}

static int parse_inner(struct parse *p, const char *s, int n, struct rw_format_token *t)
{
    static const char simple[] = "%k=%v ";
    char *copy = rw_zalloc((size_t)(n < 0 ? (int)sizeof(simple) : n) + 1);
    if (!copy)
        return RW_E_NOMEM;
    memcpy(copy, n < 0 ? simple : s, n < 0 ? sizeof(simple) - 1 : (size_t)n);
    int rc = p->depth > 0 ? wrong(p, "headers inside of headers")
                          : rw_format_parse(copy, false, &t->inner, p->error);
    rw_free(copy);
    for (int i = 0; rc == RW_OK && i < t->inner->n_tokens; i++)
        if (t->inner->tokens[i].field && !strchr("kvKV", t->inner->tokens[i].field))
            rc = wrong(p, "only %k %v %K %V may be inside of %h{}");
    return rc;
}

/* What is in the braces after a field. */
static int modifier(struct parse *p, struct rw_format_token *t, const char *s, int n)
{
    static const char *const attributes[] = {"compression", "timestamp-type", "transactional",
                                             "control"};
    if (t->field == 'h')
        return parse_inner(p, s, n, t);
    if (t->field == 'a') {
        for (size_t i = 0; n >= 0 && i < RW_COUNT(attributes); i++)
            if (is(s, n, attributes[i]))
                return copy_literal(t, s, n);
        return wrong(p, "%a wants {compression}, {timestamp-type}, {transactional} or {control}");
    }
    if (n < 0)
        return RW_OK;
    const char *between;
    int between_n;
    bool text = strchr(text_fields, t->field) != NULL;
    if (t->field == 'd' && bracketed(s, n, "strftime", &between, &between_n)) {
        t->mode = RW_FORMAT_STRFTIME;
        return copy_literal(t, between, between_n);
    }
    if (text && bracketed(s, n, "unpack", &between, &between_n))
        return take_unpack(p, t, between, between_n);
    if (text && bracketed(s, n, "re", &between, &between_n))
        return take_regex(p, t, between, between_n);
    if (text ? text_mode(s, n, t) : number_mode(s, n, t))
        return RW_OK;
    return wrong(p, "unknown words in braces before");
}

static void free_token(struct rw_format_token *t)
{
    rw_free(t->literal);
    rw_format_free(t->inner);
    rw_regex_free(t->regex);
}

/* at: behind the percent sign. */
static int field(struct parse *p)
{
    char c = *p->at;
    const char *s = NULL;
    int n = -1;
    if (c && strchr("%{}", c)) {
        rw_buf_add_u8(&p->literal, (uint8_t)c);
        p->at++;
        return RW_OK;
    }
    if (p->kcat && c == 'T')
        c = 'd';
    else if (p->kcat && (c == 's' || c == 'S'))
        c = c == 's' ? 'v' : 'V';
    if (!c || !(strchr(text_fields, c) || strchr(number_fields, c) || c == 'h' || c == 'a'))
        return wrong(p, c ? "unknown letter after %" : "nothing after %");
    p->at++;
    struct rw_format_token t = {.field = c};
    int rc = flush_literal(p);
    if (rc == RW_OK)
        rc = braces(p, &s, &n);
    if (rc == RW_OK)
        rc = modifier(p, &t, s, n);
    if (rc == RW_OK)
        rc = add(p, t);
    if (rc != RW_OK)
        free_token(&t);
    return rc;
}

int rw_format_parse(const char *text, bool kcat, struct rw_format **ret_format, char error[160])
{
    struct parse p = {.text = text, .at = text, .kcat = kcat, .error = error};
    int rc = RW_OK;
    p.out = rw_zalloc(sizeof(*p.out));
    if (!p.out)
        return RW_E_NOMEM;
    p.out->kcat = kcat;
    rw_buf_init(&p.literal);
    while (*p.at && rc == RW_OK) {
        char c = *p.at++;
        if (c == '%')
            rc = field(&p);
        else if (c == '\\')
            rc = escape(&p);
        else
            rw_buf_add_u8(&p.literal, (uint8_t)c);
    }
    if (rc == RW_OK && p.literal.failed)
        rc = RW_E_NOMEM;
    if (rc == RW_OK)
        rc = flush_literal(&p);
    rw_buf_deinit(&p.literal);
    if (rc != RW_OK) {
        rw_format_free(p.out);
        return rc;
    }
    const struct rw_format_token *t = p.out->tokens;
    p.out->values_only = p.out->n_tokens == 2 && t[0].field == 'v' &&
                         t[0].mode == RW_FORMAT_PLAIN && t[1].literal_n == 1 &&
                         t[1].literal[0] == '\n';
    *ret_format = p.out;
    return RW_OK;
}

int rw_format_check_output(const struct rw_format *f, char error[160])
{
    for (int i = 0; i < f->n_tokens; i++) {
        const struct rw_format_token *t = &f->tokens[i];
        if (t->mode == RW_FORMAT_REGEX) {
            snprintf(error, 160, "re[] after %%%c is for input only", t->field);
            return RW_E_INVAL;
        }
        int rc = t->inner ? rw_format_check_output(t->inner, error) : RW_OK;
        if (rc != RW_OK)
            return rc;
    }
    return RW_OK;
}

void rw_format_free(struct rw_format *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->n_tokens; i++)
        free_token(&f->tokens[i]);
    rw_free(f->tokens);
    rw_free(f);
}
