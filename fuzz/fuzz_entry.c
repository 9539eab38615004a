/* Records of a file that a dead process left: a call site and an entry of foreign bytes, decoded and written by every
 * formatter. The first byte says how many times 8 bytes the site has; what follows it is the entry. */
#include "base/utf8.h"
#include "fuzz.h"
#include "logger/format.h"

enum { LINE = 4096 };

static void write_line(const char *format, const struct rw_lg_view *v)
{
    struct rw_lg_format f;
    char line[LINE], again[LINE];
    struct rw_lg_out o = {line, sizeof(line), 0};
    RW_ASSERT(rw_lg_format_init(format, &f, NULL) == RW_OK);
    f.site = f.thread = true;
    rw_lg_format_line(&f, &o, v);
    if (o.n > LINE)
        return;
    RW_ASSERT(o.n > 0 && line[o.n - 1] == '\n' && rw_utf8_valid(line, o.n));
    for (size_t i = 0; i + 1 < o.n; i++) /* one line, whatever was logged */
        RW_ASSERT(((uint8_t)line[i] >= 0x20 && line[i] != 0x7f) || line[i] == '\t');
    struct rw_lg_out small = {again, o.n / 2, 0};
    rw_lg_format_line(&f, &small, v);
    RW_ASSERT(small.n >= o.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rw_lg_shape shape = {.name = "fuzz",
                                             .ring_bytes = 4096,
                                             .journal_bytes = 4096,
                                             .dictionary_bytes = 1 << 16,
                                             .rings = 1};
    size_t site_n = size ? data[0] * (size_t)8 : 0;
    struct rw_lg_entry head;
    struct rw_lg_map map;
    if (size < 1 + site_n + sizeof(head) || size > 1u << 14)
        return 0;
    size_t entry_n = (size - 1 - site_n) & ~(size_t)7;
    RW_ASSERT(rw_lg_map_new(&shape, 1, &map, NULL) == RW_OK);
    memcpy(map.mem.p + rw_lg_header(&map)->dictionary_at + 8, data + 1, site_n);
    uint8_t *entry = fuzz_copy(data + 1 + site_n, entry_n);
    memcpy(&head, entry, sizeof(head));
    head.site = 1;
    head.size = (uint32_t)entry_n;
    memcpy(entry, &head, sizeof(head));
    struct rw_lg_knowledge knowledge = {.map = &map};
    struct rw_lg_view v;
    if (rw_lg_view(&knowledge, (const struct rw_lg_entry *)(void *)entry, (int64_t)head.ticks,
                   &v)) {
        write_line("logfmt", &v);
        write_line("json", &v);
        write_line("%d %-5p [%t] %20.30c %m%k %X{user} %F:%L %M", &v);
    }
    rw_lg_knowledge_deinit(&knowledge);
    free(entry);
    rw_lg_map_free(&map);
    return 0;
}
