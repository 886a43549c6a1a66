"""A Celery project as it is anywhere: a broker, a backend, tasks. Only the addresses come from outside."""

import datetime
import decimal
import os
import uuid

from celery import Celery

app = Celery("proj", broker=os.environ["BROKER_URL"], backend=os.environ["RESULT_BACKEND"])
app.conf.update(
    broker_transport_options={
        "region": "us-east-1",
        "is_secure": False,
        "queue_name_prefix": os.environ["QUEUE_NAME_PREFIX"],
        "wait_time_seconds": 1,
        "polling_interval": 0.2,
        "visibility_timeout": 30,
    },
    task_default_queue="celery",
    task_routes={"math.*": {"queue": "default"}, "blog.*": {"queue": "blog.mail"}},
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    result_extended=os.environ.get("RESULT_EXTENDED") == "1",
)

if os.environ.get("SPANS"):
    from proj import tracing

    tracing.start(os.environ["SPANS"])

if os.environ.get("VAULT_KEYS"):
    import celeriac_codec

    celeriac_codec.use(app)

NOTES = os.environ.get("NOTES")


def note(*values):
    """What this side has seen, for the test to read."""
    if NOTES:
        with open(NOTES, "a") as file:
            print(*values, file=file, flush=True)


@app.task(name="proj.add")
def add(x, y):
    return x + y


@app.task(name="proj.xsum")
def xsum(numbers):
    note("xsum", numbers)
    return sum(numbers)


@app.task(name="proj.echo")
def echo(*args, **kwargs):
    return [list(args), kwargs]


@app.task(name="proj.kinds")
def kinds(values):
    return [type(value).__name__ for value in values]


@app.task(name="proj.typed")
def typed():
    return {
        "when": datetime.datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc),
        "day": datetime.date(2030, 1, 2),
        "price": decimal.Decimal("12.30"),
        "id": uuid.UUID("00000000-0000-4000-8000-000000000001"),
        "bytes": b"caf\xc3\xa9",
        "raw": b"\xff\x00",
        "nan": float("nan"),
    }


class OutOfStock(Exception):
    pass


@app.task(name="proj.fail")
def fail(kind="ValueError", *args):
    raise {"ValueError": ValueError, "KeyError": KeyError, "OutOfStock": OutOfStock}[kind](*(args or ("boom",)))


@app.task(name="proj.flaky", bind=True, max_retries=5)
def flaky(self, times):
    if self.request.retries < times:
        raise self.retry(countdown=0)
    return [self.request.retries, self.request.delivery_info["routing_key"]]


@app.task(name="proj.request", bind=True)
def request(self, *args, **kwargs):
    fields = ("id", "root_id", "parent_id", "group", "group_index", "retries", "eta", "expires", "headers", "stamps",
              "timelimit", "argsrepr", "kwargsrepr", "shadow", "ignore_result", "reply_to", "origin", "lang")
    told = {name: getattr(self.request, name, None) for name in fields}
    info = self.request.delivery_info
    return {**told, "delivery_info": {name: info[name] for name in ("exchange", "routing_key", "priority")}}


@app.task(name="proj.seen")
def seen(*args):
    note("seen", *args)


@app.task(name="proj.at", bind=True)
def at(self):
    return datetime.datetime.now(datetime.timezone.utc).timestamp()
