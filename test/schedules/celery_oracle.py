"""Answers questions about Celery's own crontab: one JSON object a line on stdin, one answer a line on stdout.

{"ask": "next", "fields": [minute, hour, dom, month, dow], "zone": name, "after": epoch seconds}
  -> {"next": epoch seconds} or {"error": text}
{"ask": "values", "fields": [...]} -> {"values": [[...], ...]}; null for a field that Celery refuses
"""

import json
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from celery import Celery
from celery.schedules import crontab

NAMES = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
APPS = {}


def app_in(zone):
    if zone not in APPS:
        app = Celery(set_as_current=False)
        app.conf.timezone = zone
        APPS[zone] = app
    return APPS[zone]


def next_due(question):
    after = datetime.fromtimestamp(question["after"], ZoneInfo(question["zone"]))
    schedule = crontab(**dict(zip(NAMES, question["fields"])), nowfun=lambda: after, app=app_in(question["zone"]))
    return round((after.astimezone(timezone.utc) + schedule.remaining_estimate(after)).timestamp())


def values_of(name, text):
    try:
        return sorted(getattr(crontab(**{name: text}), name))
    except Exception:
        return None


def answer(question):
    if question["ask"] == "values":
        return {"values": [values_of(name, text) for name, text in zip(NAMES, question["fields"])]}
    try:
        return {"next": next_due(question)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
