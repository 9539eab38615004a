/*
 * Maps of starts that were closed. A thread that has a ring there looks at it when it logs again, and goes on to a ring of the start that runs
 * then. A map is unmapped when no thread has a ring in it any more, and some more starts have passed: a call that was interrupted by a
 * signal may still be looking. When there are too many whose threads never log again, the newest stay mapped for good.
 */
#include "logger/process.h"

enum { STAY = 8 };

static bool used(const struct rw_lg_map *m)
{
    for (unsigned i = 1; i < rw_lg_header(m)->rings; i++)
        if (atomic_load(&rw_lg_ring(m, i)->used))
            return true;
    return false;
}

void rw_lg_retire(struct rw_lg_map *m)
{
    struct rw_lg_process *p = &rw_lg_process;
    unsigned n = 0;
    rw_lg_map_retire(m);
    for (unsigned i = 0; i < p->n_retired; i++)
        if (i + STAY < p->n_retired && !used(&p->retired[i]))
            rw_lg_map_free(&p->retired[i]);
        else
            p->retired[n++] = p->retired[i];
    if (n < RW_LG_RETIRED)
        p->retired[n++] = *m;
    p->n_retired = n;
}
