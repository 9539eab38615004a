/* Syslog: the examples of both RFCs, and what daemons write in their place. */
#include "unit.h"

static void test_rfc5424(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_SYSLOG,
                "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su "
                "root' failed",
                "facility:s=auth level:s=crit time:s=2003-10-11T22:14:15.003Z "
                "host:s=mymachine.example.com app:s=su msgid:s=ID47 message:s='su root' failed");
    unit_parses(
        RW_PIPE_SYSLOG,
        "<165>1 2003-10-11T22:14:15.003Z h evntslog 77 ID47 [e@32473 iut=\"3\" s=\"A\\\"b\\]\\\\\"]"
        "[p@1 class=\"high\"]",
        "facility:s=local4 level:s=notice time:s=2003-10-11T22:14:15.003Z host:s=h "
        "app:s=evntslog pid:s=77 msgid:s=ID47 e@32473.iut:s=3 e@32473.s:s=A\"b]\\ "
        "p@1.class:s=high message:s=");
    unit_parses(RW_PIPE_SYSLOG, "<0>1 - - - - - - x", "facility:s=kern level:s=emerg message:s=x");
}

static void test_rfc3164(void **state)
{
    (void)state;
    unit_parses(RW_PIPE_SYSLOG, "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
                "facility:s=auth level:s=crit time:s=Oct 11 22:14:15 host:s=mymachine app:s=su "
                "message:s='su root' failed");
    unit_parses(RW_PIPE_SYSLOG, "<13>Nov  3 06:32:30 web nginx[123]: GET /",
                "facility:s=user level:s=notice time:s=Nov  3 06:32:30 host:s=web app:s=nginx "
                "pid:s=123 message:s=GET /");
    /* No host, as programs write to /dev/log. */
    unit_parses(
        RW_PIPE_SYSLOG, "<30>Nov 23 06:32:30 app[1]: hi",
        "facility:s=daemon level:s=info time:s=Nov 23 06:32:30 app:s=app pid:s=1 message:s=hi");
    /* Files of rsyslog and journald: no <PRI>, and other times. */
    unit_parses(RW_PIPE_SYSLOG, "2026-11-23T06:32:30.5+00:00 web cron[9]: x",
                "time:s=2026-11-23T06:32:30.5+00:00 host:s=web app:s=cron pid:s=9 message:s=x");
    unit_parses(RW_PIPE_SYSLOG, "<13>no time here",
                "facility:s=user level:s=notice message:s=no time here");
    unit_parses(RW_PIPE_SYSLOG, "<13>Nov 23 06:32:30 web a sentence without a tag",
                "facility:s=user level:s=notice time:s=Nov 23 06:32:30 host:s=web "
                "message:s=a sentence without a tag");
}

static void test_refusals(void **state)
{
    (void)state;
    unit_refuses(RW_PIPE_SYSLOG, "<192>x", "character 1: <PRI> is a number between 0 and 191");
    unit_refuses(RW_PIPE_SYSLOG, "<>x", "character 1: <PRI> is a number between 0 and 191");
    unit_refuses(RW_PIPE_SYSLOG, "<1234>x", "character 1: <PRI> is a number between 0 and 191");
    unit_refuses(RW_PIPE_SYSLOG, "<1", "character 1: <PRI> is a number between 0 and 191");
    unit_refuses(RW_PIPE_SYSLOG, "plain text", "character 1: neither <PRI> nor a time");
    unit_refuses(RW_PIPE_SYSLOG, "<1>1 a b", "character 9: a word was expected");
    unit_refuses(RW_PIPE_SYSLOG, "<1>1 - - - - - x",
                 "character 16: [ or - was expected: structured data");
    unit_refuses(RW_PIPE_SYSLOG, "<1>1 - - - - - [a b",
                 "character 20: name=\"value\" was expected");
    unit_refuses(RW_PIPE_SYSLOG, "<1>1 - - - - - [a b=\"c", "character 23: a quote is not closed");
    unit_refuses(RW_PIPE_SYSLOG, "<1>1 - - - - - [a", "character 18: ] was expected");
    unit_refuses(RW_PIPE_SYSLOG, "<1>1 - - - - - [a]x",
                 "character 19: a blank was expected behind structured data");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc5424),
                                       cmocka_unit_test(test_rfc3164),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
