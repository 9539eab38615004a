/* Rings, collector and rescue over one file: what lies where after a death, at each moment of it, and over damage. */
#include "entries.h"
#include <unistd.h>
#include "logger/collector.h"
#include "logger/engine.h"
#include "logger/record.h"
#include "logger/rescue.h"

enum { RINGS = 3, RING_BYTES = 4096 };

struct left {
    char dir[64], path[600];
    struct rw_lg_map map;
    struct rw_lg_collector collector;
    uint32_t site;
    uint64_t ticks;
};

static struct rollway_site site = {.message = "a number",
                                   .file = "f.c",
                                   .function = "f",
                                   .n_fields = 1,
                                   .level = 2,
                                   .fields =
                                       (const struct rollway_site_field[]){{"n", ROLLWAY_T_UINT_}}};

static void begin(struct left *t)
{
    memset(t, 0, sizeof(*t));
    strcpy(t->dir, "/tmp/rollway-rescue-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    const struct rw_lg_shape shape = {.dir = t->dir,
                                      .name = "test",
                                      .ring_bytes = RING_BYTES,
                                      .journal_bytes = 16 * RING_BYTES,
                                      .dictionary_bytes = 1 << 16,
                                      .rings = RINGS};
    assert_int_equal(rw_lg_map_new(&shape, 1, &t->map, NULL), RW_OK);
    strcpy(t->path, t->map.path);
    for (unsigned i = 1; i < RINGS; i++)
        assert_true(rw_lg_ring_populate(&t->map, i));
    assert_int_equal(rw_lg_collector_init(&t->collector, &t->map), RW_OK);
    strcpy(rw_lg_header(&t->map)->cursors[0].name, "a");
    t->site = rw_lg_site_register(&t->map, &site);
    t->ticks = 1000;
}

/* As killed. */
static void die(struct left *t)
{
    rw_lg_collector_deinit(&t->collector);
    rw_lg_map_free(&t->map);
}

static void end(struct left *t)
{
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", t->dir);
    assert_int_equal(system(command), 0);
}

/* A record of `thread` that says `n`. False: the ring is full. */
static bool put(struct left *t, unsigned ring, uint32_t thread, uint64_t n, const char *context)
{
    struct rw_lg_ring *r = rw_lg_ring(&t->map, ring);
    struct rw_lg_context c = {.n = 0};
    if (context)
        assert_int_equal(rw_lg_context_set(&c, "who", context), RW_OK);
    uint32_t words = 3 + (context ? 1u + c.n / 8u : 0);
    uint64_t *record = rw_lg_ring_own(r, thread) ? rw_lg_ring_room(r, 8 * words) : NULL;
    if (!record)
        return false;
    record[0] = rw_lg_record_head(t->site, 2, 8 * words) | UINT64_C(5) << RW_LG_LOGGER_AT |
                (context ? RW_LG_RECORD_CONTEXT : 0);
    record[1] = t->ticks++;
    if (context) {
        record[2] = c.n;
        memcpy(record + 3, c.bytes, c.n);
    }
    record[words - 1] = n;
    rw_lg_ring_commit(r, 8 * words);
    return true;
}

/* Records 0, 1, 2 ... in turn of the rings, each ring's thread another one after 10 records, every third with a context. Returns how many there was
 * room for. */
static uint64_t fill(struct left *t, uint64_t from, uint64_t most)
{
    uint64_t n = from;
    while (n < from + most &&
           put(t, (unsigned)(n % RINGS), (uint32_t)(100 + n / 10), n, n % 3 == 0 ? "me" : NULL))
        n++;
    return n;
}

/* What the next start finds: all from `first` to `end` once, in order, as it was put. */
static void expect(const char *path, uint64_t first, uint64_t end)
{
    struct rw_lg_rescue r;
    assert_int_equal(rw_lg_rescue_open(path, &r, NULL), RW_OK);
    struct rw_lg_knowledge k = {.map = &r.map};
    const struct rw_lg_entry *e;
    int64_t ns;
    uint8_t done;
    while ((e = rw_lg_rescue_next(&r, &ns, &done))) {
        struct rw_lg_view v;
        assert_true(rw_lg_view(&k, e, ns, &v));
        assert_int_equal(v.thread, 100 + first / 10);
        assert_int_equal(e->logger, 5);
        assert_int_equal(v.n_fields, first % 3 == 0 ? 2 : 1);
        uint64_t n;
        memcpy(&n, (const uint8_t *)e + e->size - 8, 8);
        assert_int_equal(n, first);
        first++;
    }
    assert_int_equal(first, end);
    assert_int_equal(r.lost, 0);
    rw_lg_knowledge_deinit(&k);
    rw_lg_rescue_close(&r, false);
}

static void collect(struct left *t)
{
    bool full;
    (void)rw_lg_collect(&t->collector, rw_lg_header(&t->map)->cursors[0].done, &full);
}

/* Nothing was collected; all of it; some of it, several times around the rings. */
static void each_record_once(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 40; turns++) {
        struct left t;
        begin(&t);
        struct rw_lg_shared *h = rw_lg_header(&t.map);
        uint64_t n = 0, written = 0;
        for (unsigned i = 0; i < turns; i++) {
            n = fill(&t, n, 10 + 7 * i % 50);
            /* An appender that is one turn behind. */
            h->cursors[0].done = h->head;
            written = 0;
            for (unsigned k = 0; k < RINGS; k++)
                written += rw_lg_ring(&t.map, k)->taken;
            collect(&t);
        }
        n = fill(&t, n, turns % 2 ? 25 : 0);
        die(&t);
        expect(t.path, written, n);
        end(&t);
    }
}

/* The journal's head has moved, the tails have not, or not all: what is in both is there once, and whose it is stays right. */
static void killed_inside_a_turn(void **state)
{
    (void)state;
    for (unsigned moved = 0; moved < 3 << RINGS; moved++) {
        struct left t;
        begin(&t);
        uint64_t tails[RINGS];
        uint32_t threads[RINGS];
        uint64_t n = fill(&t, 0, 55);
        collect(&t);
        n = fill(&t, n, 48);
        for (unsigned i = 0; i < RINGS; i++) {
            tails[i] = rw_lg_ring(&t.map, i)->tail;
            threads[i] = rw_lg_ring(&t.map, i)->thread_at_tail;
        }
        collect(&t);
        n = fill(&t, n, 31);
        for (unsigned i = 0; i < RINGS; i++)
            if (!(moved >> i & 1)) {
                struct rw_lg_ring *r = rw_lg_ring(&t.map, i);
                r->tail = tails[i];
                if (moved >> RINGS == 0) /* it moves before the tail */
                    r->thread_at_tail = threads[i];
            }
        die(&t);
        expect(t.path, 0, n);
        end(&t);
    }
}

static uint64_t random_state = 1;
static uint32_t below(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % n;
}

/* Whatever lies in rings and their control blocks: it ends, and reads nothing that is not there. */
static void damaged_rings(void **state)
{
    (void)state;
    unsigned whole = 0, lost = 0;
    for (int i = 0; i < 600; i++) {
        struct left t;
        begin(&t);
        uint64_t n = fill(&t, 0, 200);
        for (unsigned k = 1 + below(4); k > 0; k--) {
            struct rw_lg_ring *r = rw_lg_ring(&t.map, below(RINGS));
            uint8_t *control = (uint8_t *)(void *)r, *p = r->data + below(RING_BYTES);
            if (below(4) == 0)
                p = control +
                    (below(2) ? offsetof(struct rw_lg_ring, tail)
                              : offsetof(struct rw_lg_ring, head)) +
                    below(8);
            *p ^= (uint8_t)(1u << below(8));
        }
        die(&t);
        struct rw_lg_rescue r;
        assert_int_equal(rw_lg_rescue_open(t.path, &r, NULL), RW_OK);
        struct rw_lg_knowledge k = {.map = &r.map};
        const struct rw_lg_entry *e;
        int64_t ns;
        uint8_t done;
        uint64_t found = 0;
        while ((e = rw_lg_rescue_next(&r, &ns, &done))) {
            struct rw_lg_view v;
            assert_true(++found <= RINGS * RING_BYTES / RW_LG_RECORD);
            assert_true(e->size <= RW_LG_ENTRY_MAX);
            (void)rw_lg_view(&k, e, ns, &v);
        }
        whole += found == n && r.lost == 0;
        lost += r.lost != 0;
        rw_lg_knowledge_deinit(&k);
        rw_lg_rescue_close(&r, false);
        end(&t);
    }
    assert_true(whole > 50 && lost > 50);
}

static void another_version_is_left_alone(void **state)
{
    (void)state;
    struct left t;
    struct rw_lg_rescue r;
    struct rw_err err;
    begin(&t);
    (void)fill(&t, 0, 10);
    rw_lg_header(&t.map)->version++;
    die(&t);
    assert_int_equal(rw_lg_rescue_open(t.path, &r, &err), RW_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "rings of format 4, this is 3"));
    assert_int_equal(rw_lg_rescue_look(t.path, false, &r, &err), RW_E_UNSUPPORTED);
    assert_int_equal(access(t.path, R_OK), 0);
    end(&t);
}

static void the_largest_of_each(void **state)
{
    (void)state;
    uint64_t record[8192];
    static union {
        struct rw_lg_entry entry;
        uint8_t bytes[RW_LG_ENTRY_MAX + 64];
    } to;
    for (size_t i = 0; i < COUNT(record); i++)
        record[i] = i;
    record[0] = rw_lg_record_head(UINT32_MAX, 63, sizeof(record)) | UINT64_C(1023)
                                                                        << RW_LG_LOGGER_AT;
    assert_int_equal(rw_lg_record_size(record[0]), sizeof(record));
    assert_int_equal(record[0] >> RW_LG_GENERATION_AT, 255);
    assert_int_equal(record[0] & (RW_LG_RECORD_CONTEXT | RW_LG_RECORD_CONTROL), 0);
    rw_lg_record_expand(record, 7, 9, 11, &to.entry);
    assert_int_equal(to.entry.size, sizeof(record) + 16);
    assert_int_equal(to.entry.site, 0xffffff);
    assert_int_equal(to.entry.logger, 1023);
    assert_int_equal(to.entry.flags, 63);
    assert_int_equal(to.entry.thread, 7);
    assert_int_equal(to.entry.ring, 9);
    assert_int_equal(to.entry.place, 11);
    assert_int_equal(to.entry.ticks, 1);
    assert_memory_equal(&to.entry + 1, record + 2, sizeof(record) - 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_once),    cmocka_unit_test(killed_inside_a_turn),
        cmocka_unit_test(damaged_rings),       cmocka_unit_test(another_version_is_left_alone),
        cmocka_unit_test(the_largest_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
