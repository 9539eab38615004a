/*
 * Assertions stay on in production: they guard invariants that cross a function. No side effects in
 * the expression. Corrupt input is an error code, never an assertion.
 */
#pragma once

#define RW_ASSERT(expr)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(expr), 0))                                                          \
            rw_assert_failed(#expr, __FILE__, __LINE__, __func__);                                 \
    } while (0)

#define RW_STATIC_ASSERT _Static_assert
#define RW_COUNT(array)  (sizeof(array) / sizeof((array)[0]))

/* Called with the text of a failed assertion before abort(). Default: write to stderr is done by the
 * program (os/), because base/ makes no system calls. NULL keeps silent. */
extern void (*rw_assert_hook)(const char *expr, const char *file, int line, const char *func);

_Noreturn void rw_assert_failed(const char *expr, const char *file, int line, const char *func);
