/* Regular expressions by PCRE2, compiled to machine code where that can be. */
#include "cli/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include "base/mem.h"

enum { STEPS_MAX = 1000000, STACK_FIRST = 32 * 1024, STACK_MAX = 1024 * 1024 };

struct rw_regex {
    pcre2_code *code;
    pcre2_match_data *found;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static int compile(struct rw_regex *r, const char *pattern, size_t n, enum rw_regex_at at,
                   char ret_why[RW_REGEX_WHY])
{
    int error;
    size_t where;
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY;
    if (at != RW_REGEX_ANYWHERE)
        options |= PCRE2_ANCHORED;
    if (at == RW_REGEX_WHOLE)
        options |= PCRE2_ENDANCHORED;
    r->code = pcre2_compile((PCRE2_SPTR)pattern, n, options, &error, &where, NULL);
    if (!r->code) {
        PCRE2_UCHAR text[80];
        (void)pcre2_get_error_message(error, text, sizeof(text));
        snprintf(ret_why, RW_REGEX_WHY, "%s, at character %zu", (const char *)text, where + 1);
        return error == PCRE2_ERROR_HEAP_FAILED ? RW_E_NOMEM : RW_E_INVAL;
    }
    r->found = pcre2_match_data_create(1, NULL);
    r->context = pcre2_match_context_create(NULL);
    r->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MAX, NULL);
    if (!r->found || !r->context || !r->stack) {
        snprintf(ret_why, RW_REGEX_WHY, "out of memory");
        return RW_E_NOMEM;
    }
    pcre2_set_match_limit(r->context, STEPS_MAX);
    pcre2_jit_stack_assign(r->context, NULL, r->stack);
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without it, it is slower */
    return RW_OK;
}

int rw_regex_new(const char *pattern, size_t n, enum rw_regex_at at, struct rw_regex **ret_regex,
                 char ret_why[RW_REGEX_WHY])
{
    struct rw_regex *r = rw_zalloc(sizeof(*r));
    if (!r) {
        snprintf(ret_why, RW_REGEX_WHY, "out of memory");
        return RW_E_NOMEM;
    }
    int rc = compile(r, pattern, n, at, ret_why);
    if (rc)
        rw_regex_free(r);
    else
        *ret_regex = r;
    return rc;
}

void rw_regex_free(struct rw_regex *r)
{
    if (!r)
        return;
    pcre2_jit_stack_free(r->stack);
    pcre2_match_context_free(r->context);
    pcre2_match_data_free(r->found);
    pcre2_code_free(r->code);
    rw_free(r);
}

int rw_regex_match(struct rw_regex *r, const void *text, size_t n, size_t *ret_n)
{
    int rc = pcre2_match(r->code, n ? text : (PCRE2_SPTR) "", n, 0, 0, r->found, r->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return RW_E_TOO_BIG; /* steps, stack or memory: the pattern and the text are what they are */
    *ret_n = pcre2_get_ovector_pointer(r->found)[1];
    return 1;
}
