/* The dynamic loader's own list. It holds its lock during the walk, so that what is visited stays mapped. */
#include "os/loaded.h"

#include <link.h>
#include <stdint.h>

struct walk {
    rw_os_loaded_visit visit;
    void *arg;
};

static int one(struct dl_phdr_info *info, size_t size, void *arg)
{
    const struct walk *w = arg;
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
            continue;
        uintptr_t from = (uintptr_t)(info->dlpi_addr + p->p_vaddr);
        w->visit(w->arg, (const void *)from, (const void *)(from + p->p_memsz));
    }
    return 0;
}

void rw_os_loaded_data(rw_os_loaded_visit visit, void *arg)
{
    struct walk w = {visit, arg};
    dl_iterate_phdr(one, &w);
}
