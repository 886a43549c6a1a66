"""What the installed Celery knows of its settings, and what it makes of some; one JSON object on standard output.

Reads a JSON list of cases from standard input: {"routes": ..., "names": [...]} or {"config": {...}, "namespace": ...}.
"""
import json
import sys
from datetime import timedelta
from types import SimpleNamespace

import celery
from celery import Celery
from celery.app import defaults


def plain(value):
    if isinstance(value, timedelta):
        return value.total_seconds()
    return list(value) if isinstance(value, set) else str(value)


def finite(value):
    """JSON has no infinity."""
    return 'Infinity' if value == float('inf') else value


def queue_of(app, name):
    return app.amqp.router.route({}, name)['queue'].name


def answer(case):
    app = Celery('proj', set_as_current=False)
    if 'routes' in case:
        app.conf.task_routes = case['routes']
        return {name: queue_of(app, name) for name in case['names']}
    app.config_from_object(SimpleNamespace(**case['config']), namespace=case.get('namespace'))
    return {name: getattr(app.conf, name) for name in ('timezone', 'task_default_queue', 'result_expires')}


print(json.dumps({
    'version': celery.__version__,
    'settings': [
        {'name': name, 'old': defaults._TO_OLD_KEY[name], 'default': finite(option.default)}
        for name, option in defaults.flatten(defaults.NAMESPACES)
    ],
    'toNew': defaults._TO_NEW_KEY,
    'everything': {name: finite(value) for name, value in dict(Celery(set_as_current=False).conf).items()},
    'answers': [answer(case) for case in json.load(sys.stdin)],
}, default=plain))
