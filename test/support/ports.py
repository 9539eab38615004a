"""TCP ports for brokers that tests start. As a program it prints one."""
import os
import random
import socket


def free_port():
    """A port on 127.0.0.1 that nobody listens on now, outside the range from which the kernel gives ports to outgoing
    connections: a broker that is restarted must find its port free again. ROLLWAY_PORTS=FROM-TO limits the choice."""
    low, high = (int(x) for x in os.environ.get("ROLLWAY_PORTS", "20000-30000").split("-"))
    for port in random.sample(range(low, high + 1), high - low + 1):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port in %d-%d" % (low, high))


if __name__ == "__main__":
    print(free_port())
