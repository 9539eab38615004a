"""Committed and aborted transactions in turn, and one that stays open until its standard input ends: transactions.py BROKERS TOPIC."""
import sys

from confluent_kafka import Producer

p = Producer({"bootstrap.servers": sys.argv[1], "transactional.id": "one"})
p.init_transactions()
for n in range(10):
    p.begin_transaction()
    for i in range(100):
        p.produce(sys.argv[2], "%s %d" % ("aborted" if n % 2 else "committed", n * 100 + i))
    p.flush()
    if n % 2:
        p.abort_transaction()
    else:
        p.commit_transaction()
p.begin_transaction()
p.produce(sys.argv[2], "open")
p.flush()
print("open", flush=True)
sys.stdin.read()
