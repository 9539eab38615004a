/*
 * Random bytes from the kernel's generator. Never fails: before the generator is seeded (early
 * boot) getrandom waits, and no kernel this program runs on lacks it.
 */
#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"
#include "os/parts.h"

static void fill(struct rw_rand *r, void *p, size_t n)
{
    (void)r;
    char *at = p;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        RW_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

struct rw_rand rw_os_rand = {.fill = fill};
