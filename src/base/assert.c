/* What happens when an assertion fails: tell the hook, then stop. */
#include "base/assert.h"

#include <stddef.h>
#include <stdlib.h>

void (*rw_assert_hook)(const char *expr, const char *file, int line, const char *func);

_Noreturn void rw_assert_failed(const char *expr, const char *file, int line, const char *func)
{
    if (rw_assert_hook)
        rw_assert_hook(expr, file, line, func);
    abort();
}
