/*
 * A table of addresses, by their hash. A library that is unloaded leaves its addresses behind: before one is followed, it must lie in
 * what the loader has now, and the site there must carry the mark that only a site of this address has; if not, its place is free again.
 */
#include "logger/site_list.h"

#include <stdatomic.h>
#include "os/loaded.h"

enum { BITS = 16, PLACES = 1 << BITS, WINDOW = 32 };

static struct rollway_site *_Atomic table[PLACES];

static unsigned long long mark_of(const struct rollway_site *site)
{
    return (unsigned long long)(uintptr_t)site * 0x9e3779b97f4a7c15ull | 1;
}

void rw_lg_site_list_add(struct rollway_site *site)
{
    unsigned long long mark = mark_of(site);
    unsigned from = (unsigned)(mark >> (64 - BITS));
    __atomic_store_n(&site->mark, mark, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < WINDOW; i++)
        if (atomic_load(&table[(from + i) % PLACES]) == site)
            return; /* it was there before the library was loaded again, or before a new start */
    for (unsigned i = 0; i < WINDOW; i++) {
        struct rollway_site *was = NULL;
        if (atomic_compare_exchange_strong(&table[(from + i) % PLACES], &was, site) || was == site)
            return;
    }
}

struct walk {
    void (*visit)(void *arg, struct rollway_site *site);
    void *arg;
    uint64_t taken[PLACES / 64],
        seen[PLACES / 64]; /* places with an address; those whose site is there */
};

static void visit_range(void *arg, const void *from, const void *to)
{
    struct walk *w = arg;
    for (unsigned i = 0; i < PLACES; i++) {
        struct rollway_site *site = atomic_load_explicit(&table[i], memory_order_acquire);
        if ((uintptr_t)site < (uintptr_t)from || (uintptr_t)(site + 1) > (uintptr_t)to ||
            __atomic_load_n(&site->mark, __ATOMIC_RELAXED) != mark_of(site))
            continue;
        w->seen[i / 64] |= 1ull << i % 64;
        w->visit(w->arg, site);
    }
}

void rw_lg_site_list_visit(void (*visit)(void *arg, struct rollway_site *site), void *arg)
{
    struct walk w = {.visit = visit, .arg = arg};
    for (unsigned i = 0; i < PLACES; i++)
        if (atomic_load_explicit(&table[i], memory_order_relaxed))
            w.taken[i / 64] |= 1ull << i % 64;
    rw_os_loaded_data(visit_range, &w);
    /* What was taken before and nobody has is stale; nothing new can have come to such a place. */
    for (unsigned i = 0; i < PLACES; i++)
        if ((w.taken[i / 64] & ~w.seen[i / 64]) >> i % 64 & 1)
            atomic_store(&table[i], NULL);
}
