"""The real Celery beside us: one JSON object a line on stdin, one answer a line on stdout.

{"ask": "publish", "canvas": name} -> {"bodies": [SQS MessageBody, ...], "ids": [id of the result, or of each member],
                                       "groups": {group id: [member id, ...]}}
{"ask": "load", "canvas": name, "signature": {...}}
  -> {"type", "repr": of the signature, "builtType", "builtRepr", "built": of Celery's own canvas of that name,
      "same": whether both are published as the same messages, "bodies", "ids", "groups": as above}

Nothing goes over a network: messages are taken from kombu's memory transport, results from its memory cache.
"""

import base64
import json
import re
import sys

from celery import Celery, chain, chord, group, signature

app = Celery("python", broker="memory://", backend="cache+memory://")
app.conf.task_default_queue = "default"
app.conf.result_expires = 3600


def task(name):
    def body(*args, **kwargs):
        return None

    return app.task(name=name)(body)


add, mul, total, items, note, fail = (task(name) for name in ("add", "mul", "sum", "list", "note", "fail"))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
pairs = [(1, 1), (2, 2), (3, 3)]

CANVASES = {
    "task": lambda: add.s(1, 2),
    "immutable": lambda: add.si(1, 2),
    "options": lambda: add.s(1, 2).set(countdown=5, priority=3, time_limit=60, soft_time_limit=50),
    "chain": lambda: chain(add.s(1, 2), mul.s(10), add.s(1)),
    "immutable step": lambda: chain(add.s(1, 2), add.si(5, 5), mul.s(2)),
    "group": lambda: group(add.s(1, 1), add.s(2, 2)),
    "nested groups": lambda: group(add.s(1, 1), group(add.s(2, 2), add.s(3, 3))),
    "group of chains": lambda: group(chain(add.s(1, 1), mul.s(10)), add.s(5, 5)),
    "chord": lambda: chord([add.s(1, 1), add.s(2, 2)], total.s()),
    "chord in a chain": lambda: chain(add.s(1, 1), group(add.s(2), add.s(3)), total.s()),
    "chord in the middle": lambda: chain(add.s(1, 1), group(add.s(2), add.s(3)), total.s(), mul.s(10), add.s(1)),
    "chord of chains": lambda: chain(
        add.s(1, 1), group(chain(add.s(1), mul.s(10)), chain(mul.s(2), add.s(5))), items.s()
    ),
    "chords in a row": lambda: chain(
        add.s(1, 1), group(add.s(1), add.s(2)), total.s(), group(add.s(1), mul.s(2)), items.s()
    ),
    "chord with a chain": lambda: chain(
        add.s(1, 1), chord([add.s(2), add.s(3)], chain(total.s(), mul.s(10)))
    ),
    "chord of a chord": lambda: chain(
        add.s(1, 1), group(chord([add.s(1), add.s(2)], total.s()), add.s(3)), items.s()
    ),
    "group at the end": lambda: chain(add.s(1, 1), group(add.s(2), add.s(3))),
    "chord, then a group": lambda: chain(
        add.s(1, 1), group(add.s(2), add.s(3)), total.s(), group(add.s(1), mul.s(10))
    ),
    "map": lambda: total.map([[1, 2], [3]]),
    "starmap": lambda: add.starmap(pairs),
    "chunks": lambda: add.chunks(pairs, 2),
    "chunks as a group": lambda: add.chunks(pairs, 2).group(),
    "chunks in a chain": lambda: chain(add.s(1, 2), note.chunks([("a",), ("b",)], 1)),
    "chain by name": lambda: Named("celery.chain", tasks=[mul.s(2, 3), note.s("x")]),
    "group by name": lambda: Named("celery.group", tasks=[note.s("x"), note.s("y")]),
    "chord by name": lambda: Named("celery.chord", header=[mul.s(2, 3), mul.s(4, 5)], body=note.s("x")),
    "chunks by name": lambda: Named("celery.chunks", task=note.s(), it=[("a",), ("b",)], n=1),
    "map in a chain": lambda: chain(add.si(1, 1), add.starmap(pairs).set(immutable=True), total.s()),
    "map in a group": lambda: chain(add.s(1, 1), group(add.s(1), total.map([[1, 2]]).set(immutable=True)), items.s()),
    "link": lambda: add.s(1, 2).set(link=[note.s("linked")]),
    "link of a chain": lambda: chain(add.s(1, 2).set(link=[note.s("first")]), mul.s(10).set(link=[note.s("last")])),
    "link to a chain": lambda: add.s(1, 2).set(link=[chain(mul.s(10), note.s("chained"))]),
    "link to a group": lambda: add.s(1, 2).set(link=[group(note.s("a"), note.s("b"))]),
    "link to a chord": lambda: add.s(1, 2).set(link=[chord([mul.s(2), mul.s(3)], note.s("chord"))]),
    "immutable link": lambda: add.s(1, 2).set(link=[note.si("alone")]),
    "link_error": lambda: chain(fail.s(), add.s(1)).on_error(note.s("failed")),
    "link_error in a chord": lambda: chain(
        add.s(1, 1), chord([add.s(1), fail.si()], total.s()).on_error(note.s("failed"))
    ),
    "stamps": lambda: stamped(chain(add.s(1, 1), mul.s(10))),
    "stamps in a chord": lambda: stamped(chain(add.s(1, 1), group(add.s(2), add.s(3)), total.s())),
}


class Named:
    """A composite sent as the task of its name, by someone who knows no more of it."""

    def __init__(self, name, **kwargs):
        self.name, self.kwargs = name, kwargs

    def apply_async(self):
        return app.send_task(self.name, kwargs=self.kwargs)


def stamped(sig):
    sig.stamp(tenant="a")
    return sig


def drained():
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        while channel._size("default"):
            # What kombu's SQS transport makes of a message.
            yield base64.b64encode(json.dumps(channel._get("default")).encode()).decode()


def group_ids(result):
    """Groups that Celery stores for chords, by id; the results before a result hold them."""
    found = {}
    while result is not None:
        if getattr(result, "children", None) and hasattr(result, "results"):
            found[result.id] = [child.id for child in result.results]
        result = result.parent
    return found


def published(sig):
    result = sig.apply_async()
    bodies = list(drained())
    ids = [member.id for member in result.results] if hasattr(result, "results") else [result.id]
    return {"bodies": bodies, "ids": ids, "groups": group_ids(result)}


def plain(sig):
    return json.loads(json.dumps(sig))


def without_ids(bodies):
    """Messages with each id replaced by its place, so that two publishings of one canvas are equal."""
    texts = []
    for body in bodies:
        envelope = json.loads(base64.b64decode(body))
        envelope["body"] = json.loads(base64.b64decode(envelope["body"]))
        envelope["properties"]["delivery_tag"] = None
        envelope["headers"]["eta"] = bool(envelope["headers"]["eta"])
        # Lists and tuples are shown with their own brackets.
        del envelope["headers"]["argsrepr"], envelope["headers"]["kwargsrepr"]
        texts.append(json.dumps(envelope, sort_keys=True))
    places = {}
    return [UUID.sub(lambda found: str(places.setdefault(found.group(), len(places))), text) for text in texts]


def shown(sig):
    try:
        return repr(sig)
    except AttributeError as error:  # Celery cannot show a map that came as JSON, its own no more than ours.
        return f"{type(sig).__name__}: {error}"


def answer(question):
    built = CANVASES[question["canvas"]]()
    if question["ask"] == "publish":
        return published(built)
    loaded = signature(question["signature"], app=app)
    return {
        "type": type(loaded).__name__,
        "builtType": type(built).__name__,
        "repr": shown(loaded),
        # Celery shows what came as JSON with other brackets.
        "builtRepr": shown(signature(plain(built), app=app)),
        "built": plain(built),
        "same": without_ids(published(loaded)["bodies"]) == without_ids(published(built)["bodies"]),
        **published(signature(question["signature"], app=app)),
    }


for line in sys.stdin:
    question = json.loads(line)
    try:
        print(json.dumps(answer(question)), flush=True)
    except Exception as error:  # The test says which question it was.
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
