#!/usr/bin/python3
"""Creates or deletes a topic for the suites that can not: topic.py BROKER create NAME PARTITIONS [KEY=VALUE...]"""
import sys

from confluent_kafka.admin import AdminClient, NewTopic


def main():
    broker, verb, name = sys.argv[1:4]
    admin = AdminClient({"bootstrap.servers": broker})
    if verb == "create":
        config = dict(a.split("=", 1) for a in sys.argv[5:])
        futures = admin.create_topics([NewTopic(name, int(sys.argv[4]), 1, config=config)],
                                      operation_timeout=20)
    else:
        futures = admin.delete_topics([name], operation_timeout=20)
    for future in futures.values():
        future.result(timeout=30)


if __name__ == "__main__":
    main()
