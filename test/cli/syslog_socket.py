"""A syslog daemon for tests: prints what comes to a socket, one message a line, times replaced by words.

syslog_socket.py PATH COMMAND...       a Unix socket for datagrams
syslog_socket.py tcp|udp COMMAND...    127.0.0.1; PORT in COMMAND stands for the port

Runs COMMAND (with the standard input of this program), prints what it sent, and ends with its exit code.
"""
import os
import re
import socket
import subprocess
import sys
import threading

PLACE, COMMAND = sys.argv[1], sys.argv[2:]


def show(message):
    message = re.sub(rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d", b"TIME", message)
    message = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", b"RFC3339", message)
    print(repr(message)[2:-1], flush=True)


def receive(server, done):
    server.settimeout(0.05)
    got = b""
    while True:
        try:
            if PLACE != "tcp":
                show(server.recv(1 << 20))
                continue
            connection, _ = server.accept()
            connection.settimeout(20)
            while True:
                more = connection.recv(65536)
                got += more
                if not more:
                    break
            connection.close()
        except socket.timeout:
            if done.is_set():
                break
    for line in got.splitlines():
        show(line)


def main():
    if PLACE in ("tcp", "udp"):
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM if PLACE == "tcp" else socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        if PLACE == "tcp":
            server.listen()
        port = str(server.getsockname()[1])
    else:
        if os.path.exists(PLACE):
            os.unlink(PLACE)
        server, port = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), "0"
        server.bind(PLACE)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    done = threading.Event()
    reader = threading.Thread(target=receive, args=(server, done))
    reader.start()
    try:
        code = subprocess.run([port if word == "PORT" else word for word in COMMAND], check=False, timeout=60).returncode
    finally:
        done.set()
        reader.join()
    sys.exit(code)


if __name__ == "__main__":
    main()
