#!/usr/bin/env python3
"""strip-limits.py SOCKET ENGINE KEY: an engine at SOCKET that is the one at ENGINE but for this: it drops
HostConfig.KEY from what a task's container is created with, as engines do with keys that they do
not know. Prints "ready" when it listens."""
import json
import os
import re
import socket
import sys
import threading

listen_path, engine_path, key = sys.argv[1:]


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def read_request(client, data):
    """One whole request with Content-Length; (head, body, rest), or None at the end."""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return None
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    want = int(length.group(1)) if length else 0
    while len(rest) < want:
        rest += client.recv(65536)
    return head, rest[:want], rest[want:]


def strip(head, body):
    spec = json.loads(body)
    if spec.get("Labels", {}).get("wrought.kind") != "task":
        return head, body
    del spec["HostConfig"][key]
    body = json.dumps(spec).encode()
    return re.sub(rb"(?i)(content-length:) *\d+", rb"\1 %d" % len(body), head), body


def talk(client):
    engine = socket.socket(socket.AF_UNIX)
    engine.connect(engine_path)
    threading.Thread(target=pump, args=(engine, client), daemon=True).start()
    data = b""
    while request := read_request(client, data):
        head, body, data = request
        line = head.split(b"\r\n", 1)[0]
        if b"/containers/create" in line:
            head, body = strip(head, body)
        engine.sendall(head + b"\r\n\r\n" + body)
        if b"/attach" in line:
            engine.sendall(data)
            pump(client, engine)
            return
    engine.close()


server = socket.socket(socket.AF_UNIX)
server.bind(listen_path)
server.listen(64)
print("ready", flush=True)
while True:
    connection, _ = server.accept()
    threading.Thread(target=talk, args=(connection,), daemon=True).start()
