#!/usr/bin/env python3
"""hosts.py RESOLVER PORT...: answers whatever comes to these ports, over TCP and UDP, at every address
of its network namespace, and queries for names at RESOLVER, port 53. Prints "ready" when it does."""
import socket
import struct
import sys
import threading

ANSWER = "198.51.100.7"  # of every name


def serve(kind, address, port, handle):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(64)
    threading.Thread(target=handle, args=(s,), daemon=False).start()


def greet_streams(s):
    while True:
        connection, _ = s.accept()
        connection.sendall(b"hello\n")
        connection.close()


def greet_packets(s):
    while True:
        _, peer = s.recvfrom(2048)
        s.sendto(b"hello\n", peer)


def resolve(s):
    """RFC 1035: the question back, and one A record that points to its name."""
    while True:
        query, peer = s.recvfrom(512)
        question = query[12 : query.index(b"\0", 12) + 5]
        is_a = question[-4:-2] == b"\0\1"
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if is_a else 0, 0, 0)
        record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(ANSWER)
        s.sendto(head + question + (record if is_a else b""), peer)


for text in sys.argv[2:]:
    serve(socket.SOCK_STREAM, "0.0.0.0", int(text), greet_streams)
    serve(socket.SOCK_DGRAM, "0.0.0.0", int(text), greet_packets)
serve(socket.SOCK_DGRAM, sys.argv[1], 53, resolve)
print("ready", flush=True)
