"""A first worker: greets whoever the payload names, and shows where it runs.

    wrought upload examples/hello/hello.py --name hello --stack python-3.11
    wrought queue hello --payload '{"name": "Ada"}' --wait
"""

import json
import os
import platform
import time


def payload():
    """The task's payload as JSON; PAYLOAD_FILE names the file that holds it."""
    try:
        with open(os.environ["PAYLOAD_FILE"], encoding="utf-8") as file:
            return json.load(file)
    except (KeyError, ValueError):
        return {}


print(f"Hello, {payload().get('name', 'world')}!")
print(f"This is task {os.environ.get('TASK_ID', '?')}, Python {platform.python_version()},")
print(f"user {os.getuid()} in a container of its own, working in {os.getcwd()}.")
for step in range(1, 4):
    time.sleep(0.3)
    print(f"step {step} of 3")
print("Done.")
