"""Hand-made histories for the checker: one for each anomaly, and some that have none."""
import unittest

from history import check


def send(value, offset=None, kind="ok", proc="p"):
    done = {"proc": proc, "op": "send", "log": "t", "value": value, "type": kind}
    if offset is not None:
        done["offset"] = offset
    return [dict(done, type="invoke"), done]


def poll(*records, proc="c"):
    return [{"proc": proc, "op": "poll", "log": "t", "type": "ok",
             "records": [list(r) for r in records]}]


def final(*records, start=0):
    return [{"proc": "v", "op": "final", "log": "t", "type": "ok", "start": start,
             "records": [list(r) for r in records]}]


def kinds(*parts, **options):
    return sorted({a.kind for a in check([e for p in parts for e in p], **options)})


class History(unittest.TestCase):
    def test_clean(self):
        self.assertEqual(kinds(send("a", 0), send("b", 1), poll((0, "a")), poll((1, "b")),
                               final((0, "a"), (1, "b"))), [])

    def test_gaps_are_no_anomaly(self):
        # Transaction markers and compaction take offsets that no reader sees.
        self.assertEqual(kinds(send("a", 0), send("b", 5), poll((0, "a"), (5, "b")),
                               final((0, "a"), (5, "b"))), [])

    def test_unknown_may_be_there_or_not(self):
        self.assertEqual(kinds(send("a", kind="unknown"), final((0, "a"))), [])
        self.assertEqual(kinds(send("a", kind="unknown"), final()), [])

    def test_lost_acked_write(self):
        self.assertEqual(kinds(send("a", 0), send("b", 1), final((0, "a"))), ["lost acked write"])
        self.assertEqual(kinds(send("a"), final()), ["lost acked write"])

    def test_deleted_by_retention_is_not_lost(self):
        self.assertEqual(kinds(send("a", 0), send("b", 1), final((1, "b"), start=1)), [])

    def test_acked_but_never_readable(self):
        self.assertEqual(kinds(send("a", 0), send("b", 1), send("c", 2),
                               final((0, "a"), (2, "c"))), ["acked but never readable"])

    def test_duplicate(self):
        history = send("a", 0), final((0, "a"), (1, "a"))
        self.assertEqual(kinds(*history), ["duplicate"])
        self.assertEqual(kinds(*history, idempotent=False), [])

    def test_offset_with_two_values(self):
        self.assertEqual(kinds(send("a"), send("b", kind="unknown"), poll((0, "a")),
                               poll((0, "b"), proc="d"), final((1, "a"))),
                         ["duplicate", "offset with two values"])

    def test_acked_offset_holds_another_value(self):
        self.assertIn("offset with two values",
                      kinds(send("a", 0), send("b", 1), final((0, "b"), (1, "a"))))

    def test_poll_goes_backwards(self):
        self.assertEqual(kinds(send("a", 0), send("b", 1), poll((1, "b")), poll((0, "a"))),
                         ["poll goes backwards"])

    def test_poll_again_after_seek(self):
        seek = [{"proc": "c", "op": "seek", "log": "t", "type": "ok"}]
        self.assertEqual(kinds(send("a", 0), send("b", 1), poll((0, "a"), (1, "b")), seek,
                               poll((0, "a"), (1, "b"))), [])

    def test_poll_skips(self):
        self.assertEqual(kinds(send("a", 0), send("b", 1), send("c", 2), poll((0, "a"), (2, "c")),
                               final((0, "a"), (1, "b"), (2, "c"))), ["poll skips"])

    def test_send_goes_backwards(self):
        self.assertEqual(kinds(send("a", 5), send("b", 4)), ["send goes backwards"])

    def test_two_senders_may_interleave(self):
        self.assertEqual(kinds(send("a", 5), send("b", 4, proc="q")), [])

    def test_never_sent(self):
        self.assertEqual(kinds(final((0, "x"))), ["never sent"])

    def test_failed_send_is_readable(self):
        self.assertEqual(kinds(send("a", kind="fail"), final((0, "a"))),
                         ["failed send is readable"])

    def test_not_a_history(self):
        with self.assertRaises(ValueError):
            check([{"proc": "p", "op": "sing", "log": "t", "type": "ok"}])


if __name__ == "__main__":
    unittest.main()
