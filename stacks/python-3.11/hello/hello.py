"""Proves the stack: says which Python runs, and what the task was given."""

import os
import platform
import sys

print(f"hello from python-3.11: Python {platform.python_version()}, uid {os.getuid()}")
print("arguments:", *sys.argv[1:])
payload = os.environ.get("PAYLOAD_FILE")
if payload:
    with open(payload, encoding="utf-8") as file:
        print("payload:", file.read())
