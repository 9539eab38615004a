/*
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): adding is O(1), removing amortised
 * O(log n). A node's `prev` is its left sibling, or its parent when it is the first child; the root
 * has neither. It does not know about time; the loop does. It
 * needs no memory of its own: starting a timer can not fail.
 */
#include "os/timers.h"

#include "base/assert.h"

/* Both are roots without siblings; either may be NULL. */
static struct rw_timer *meld(struct rw_timer *a, struct rw_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->at_us < a->at_us) {
        struct rw_timer *t = a;
        a = b;
        b = t;
    }
    b->prev = a;
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    a->child = b;
    return a;
}

/* Melds a list of siblings in two passes: pairs from the left, then the results from the right. */
static struct rw_timer *meld_siblings(struct rw_timer *first)
{
    struct rw_timer *pairs = NULL;
    while (first) {
        struct rw_timer *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct rw_timer *root = NULL;
    while (pairs) {
        struct rw_timer *a = pairs;
        pairs = a->next;
        a->next = NULL;
        root = meld(root, a);
    }
    return root;
}

void rw_timers_add(struct rw_timers *h, struct rw_timer *t)
{
    RW_ASSERT(!t->armed);
    t->child = t->next = t->prev = NULL;
    t->armed = true;
    h->root = meld(h->root, t);
}

void rw_timers_remove(struct rw_timers *h, struct rw_timer *t)
{
    RW_ASSERT(t->armed);
    t->armed = false;
    if (t == h->root) {
        h->root = meld_siblings(t->child);
        return;
    }
    if (t->prev->child == t)
        t->prev->child = t->next;
    else
        t->prev->next = t->next;
    if (t->next)
        t->next->prev = t->prev;
    h->root = meld(h->root, meld_siblings(t->child));
}

struct rw_timer *rw_timers_first(const struct rw_timers *h)
{
    return h->root;
}
