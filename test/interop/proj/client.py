"""A Python producer and reader: one JSON object a line on stdin, one answer a line on stdout.

{"code": "add.delay(2, 3).get(timeout=10)"} -> {"value": ...}, or {"error": class name, "message", "module"}

`let name = expression` keeps a value for later lines. The code is the test's own.
"""

import datetime  # noqa: F401
import decimal  # noqa: F401
import json
import sys
import time
import uuid  # noqa: F401

from celery import chain, chord, group, signature  # noqa: F401
from celery.result import AsyncResult, GroupResult  # noqa: F401
from kombu.utils.json import dumps

from proj import celeryapp
from proj.celeryapp import app, add, at, echo, fail, flaky, kinds, request, seen, typed, xsum  # noqa: F401


def remote(name):
    """A task of the other side: Celery sends it by name."""
    return app.signature(name)


def protocol(version):
    """From now on messages are written in this version of Celery's protocol."""
    app.conf.task_protocol = version
    app.amqp.__dict__.pop("create_task_message", None)


def until(condition, seconds=150):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        time.sleep(0.1)
    return True


names = globals()


def run(code):
    if code.startswith("let "):
        name, _, expression = code[4:].partition("=")
        names[name.strip()] = eval(expression.strip(), names)
        return None
    return eval(code, names)


for line in sys.stdin:
    code = json.loads(line)["code"]
    try:
        answer = dumps({"value": run(code)})
    except Exception as error:  # The test says which line it was.
        answer = json.dumps({"error": type(error).__name__, "message": str(error), "module": type(error).__module__})
    print(answer, flush=True)
