"""The options of tasks and of calls that this Celery has: one answer for each line on stdin."""

import inspect
import json
import sys

from celery import Celery, Task

app = Celery()
attributes = [
    name
    for name in dir(Task)
    if not name.startswith("_") and name not in ("app", "backend", "request", "request_stack")
    and not callable(getattr(Task, name, None))
]
calls = [
    name
    for function in (app.send_task, Task.apply_async)
    for name, parameter in inspect.signature(function).parameters.items()
    if parameter.kind is not inspect.Parameter.VAR_KEYWORD
]
for _ in sys.stdin:
    print(json.dumps({"names": sorted(set(attributes + calls))}), flush=True)
