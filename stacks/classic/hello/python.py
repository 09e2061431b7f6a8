"""Proves the stack: says what runs it, and what the task was given."""

import os
import platform
import sys

print(f"hello from classic: Python {platform.python_version()}, uid {os.getuid()}")
print("arguments:", *sys.argv[1:])
path = os.environ.get("PAYLOAD_FILE")
if path:
    with open(path, encoding="utf-8") as file:
        print("payload:", file.read())
