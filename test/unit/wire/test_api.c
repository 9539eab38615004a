/* The API table and the headers (src/wire/api.c, src/wire/header.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "wire/api.h"
#include "wire/messages.h"

static void test_table(void **state)
{
    (void)state;
    size_t n;
    const struct rw_api *all = rw_api_table(&n);
    assert_true(n > 60);
    for (size_t i = 0; i < n; i++) {
        const struct rw_api *a = &all[i];
        assert_true(i == 0 || all[i - 1].key < a->key);
        assert_ptr_equal(rw_api_find(a->key), a);
        assert_true(a->min >= 0 && a->min <= a->max);
        /* Produce is advertised from 0 for the sake of old clients; nothing else may promise more than
         * the codec can do. */
        if (a->advertised_max >= 0 && a->key != RW_API_PRODUCE)
            assert_true(a->advertised_min >= a->min);
        assert_true(a->advertised_max <= a->max);
        assert_true(a->request->size == a->request_size);
        assert_true(a->response->size == a->response_size);
    }
    assert_null(rw_api_find(-1));
    assert_null(rw_api_find(4));
    assert_null(rw_api_find(INT16_MAX));
    assert_string_equal(rw_api_find(RW_API_CREATE_TOPICS)->name, "CreateTopics");
    assert_ptr_equal(rw_message_find("fetch_request"), rw_api_find(RW_API_FETCH)->request);
    assert_null(rw_message_find("no_such_message"));
}

static void test_generic_functions(void **state)
{
    (void)state;
    const struct rw_api *api = rw_api_find(RW_API_INIT_PRODUCER_ID);
    struct rw_init_producer_id_request m, ret;
    struct rw_init_producer_id_response answer, answer_ret;
    struct rw_writer w;
    struct rw_reader r;
    rw_writer_init(&w);
    api->request_init(&m);
    assert_int_equal(m.producer_epoch, -1);
    m.transactional_id = RW_STR_LIT("t");
    m.producer_id = 77;
    api->request_write(&w, 3, &m);
    rw_reader_init(&r, w.buf.p, w.buf.n, NULL);
    assert_int_equal(api->request_read(&r, 3, &ret), RW_OK);
    assert_int_equal(ret.producer_id, 77);
    assert_true(rw_str_is(ret.transactional_id, "t"));
    rw_writer_clear(&w);
    api->response_init(&answer);
    answer.producer_id = 78;
    api->response_write(&w, 3, &answer);
    rw_reader_init(&r, w.buf.p, w.buf.n, NULL);
    assert_int_equal(api->response_read(&r, 3, &answer_ret), RW_OK);
    assert_int_equal(answer_ret.producer_id, 78);
    rw_writer_deinit(&w);
}

static void test_header_versions(void **state)
{
    (void)state;
    const struct rw_api *api = rw_api_find(RW_API_PRODUCE);
    assert_int_equal(rw_api_request_header_version(api, 8), 1);
    assert_int_equal(rw_api_request_header_version(api, 9), 2);
    assert_int_equal(rw_api_response_header_version(api, 8), 0);
    assert_int_equal(rw_api_response_header_version(api, 9), 1);
    api = rw_api_find(RW_API_API_VERSIONS);
    assert_int_equal(rw_api_request_header_version(api, 3), 2);
    assert_int_equal(rw_api_response_header_version(api, 3), 0);
    api = rw_api_find(RW_API_SASL_HANDSHAKE);
    assert_int_equal(rw_api_request_header_version(api, 1), 1);
}

static void test_request_header(void **state)
{
    (void)state;
    struct rw_writer w;
    struct rw_reader r;
    struct rw_request_header h = {RW_API_PRODUCE, 9, 5, RW_STR_LIT("me")}, ret = {0};
    rw_writer_init(&w);
    rw_request_header_write(&w, rw_api_find(RW_API_PRODUCE), &h);
    static const char want[] = "\0\0\0\x09\0\0\0\5\0\2me\0";
    assert_int_equal(w.buf.n, sizeof(want) - 1);
    assert_memory_equal(w.buf.p, want, w.buf.n);
    rw_reader_init(&r, w.buf.p, w.buf.n, NULL);
    assert_int_equal(rw_request_header_read(&r, &ret), RW_OK);
    assert_int_equal(rw_reader_left(&r), 0);
    assert_int_equal(ret.api_version, 9);
    assert_int_equal(ret.correlation_id, 5);
    assert_true(rw_str_is(ret.client_id, "me"));
    for (size_t n = 0; n < w.buf.n; n++) {
        rw_reader_init(&r, w.buf.p, n, NULL);
        assert_int_equal(rw_request_header_read(&r, &ret), RW_E_SHORT);
    }
    rw_writer_deinit(&w);
    /* A null client id; tags of header version 2 skipped */
    static const char tagged[] = "\0\0\0\x09\0\0\0\5\xff\xff\1\7\2xy!";
    rw_reader_init(&r, tagged, sizeof(tagged) - 1, NULL);
    assert_int_equal(rw_request_header_read(&r, &ret), RW_OK);
    assert_int_equal(ret.client_id.n, -1);
    assert_int_equal(rw_reader_left(&r), 1);
    /* An unknown API or version: as far as header version 1 goes */
    static const char unknown[] = "\3\xe7\0\x09\0\0\0\6\xff\xff\1\7";
    rw_reader_init(&r, unknown, sizeof(unknown) - 1, NULL);
    assert_int_equal(rw_request_header_read(&r, &ret), RW_OK);
    assert_int_equal(ret.api_key, 999);
    assert_int_equal(ret.correlation_id, 6);
    assert_int_equal(rw_reader_left(&r), 2);
}

static void test_response_header(void **state)
{
    (void)state;
    struct rw_writer w;
    struct rw_reader r;
    int32_t id;
    rw_writer_init(&w);
    rw_response_header_write(&w, rw_api_find(RW_API_FETCH), 12, 9);
    assert_int_equal(w.buf.n, 5);
    rw_reader_init(&r, w.buf.p, w.buf.n, NULL);
    assert_int_equal(rw_response_header_read(&r, rw_api_find(RW_API_FETCH), 12, &id), RW_OK);
    assert_int_equal(id, 9);
    assert_int_equal(rw_reader_left(&r), 0);
    rw_reader_init(&r, w.buf.p, 4, NULL);
    assert_int_equal(rw_response_header_read(&r, rw_api_find(RW_API_FETCH), 12, &id), RW_E_SHORT);
    rw_writer_clear(&w);
    rw_response_header_write(&w, rw_api_find(RW_API_API_VERSIONS), 4, 9);
    assert_int_equal(w.buf.n, 4);
    rw_writer_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),           cmocka_unit_test(test_generic_functions),
        cmocka_unit_test(test_header_versions), cmocka_unit_test(test_request_header),
        cmocka_unit_test(test_response_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
