"""Celery's own eager mode beside us: one tree a line on stdin (test/support/linked-trees.ts), how it ended on stdout.

{"tree": ...} -> {"value": the result, an exception as "error Name", "states": of the result or of each member,
                  "runs": [[task, args, id of the failed task or null]], "labels": {task id: [task, args]},
                  "raised": whether the call itself raised}
"""

import json
import logging
import sys

from celery import Celery, chain, chord, group
from celery.exceptions import Ignore, Reject
from celery.result import GroupResult

app = Celery("eager", broker="memory://", backend="cache+memory://")
app.conf.task_always_eager = True
logging.disable(logging.CRITICAL)

runs = []
labels = {}


class RangeError(Exception):
    pass


def define(name, end, **options):
    def body(self, *args):
        # Of a map the items are plain calls.
        if getattr(self.request, "task", None) == name:
            labels[self.request.id] = [name, list(args)]
        runs.append([name, list(args), None])
        if name == "flaky" and self.request.retries < 2:
            raise self.retry(countdown=60)
        return end(args)

    return app.task(name=name, bind=True, max_retries=2, **options)(body)


def raising(error):
    def end(args):
        raise error

    return end


TASKS = {
    "pack": define("pack", list),
    "silent": define("silent", list, ignore_result=True),
    "flaky": define("flaky", list),
    "bad": define("bad", raising(RangeError("bad"))),
    "reject": define("reject", raising(Reject("no"))),
    "ignore": define("ignore", raising(Ignore("no"))),
}
pack = TASKS["pack"]


@app.task(name="one")
def one(task_id):
    runs.append(["one", [], task_id])


@app.task(name="three")
def three(request, error, traceback):
    runs.append(["three", [type(error).__name__, "string" if traceback else "object"], request.id])


ERROR_LINKS = {"one": one.s, "three": three.s}


def build(tree):
    kind = tree["kind"]
    if kind == "task":
        task = TASKS[tree["task"]]
        sig = (task.si if tree["immutable"] else task.s)(tree["label"])
        for link in tree["links"]:
            sig.link(build(link))
        for name in tree["errorLinks"]:
            sig.link_error(ERROR_LINKS[name]())
        return sig
    if kind == "map":
        return pack.map([tree["label"], "x"])
    if kind == "starmap":
        return pack.starmap([[tree["label"]], ["x", "y"]])
    if kind == "chunks":
        return pack.chunks([[tree["label"]], ["x", "y"], ["z"]], 2).group()
    if kind == "chain":
        return chain(*[build(step) for step in tree["steps"]])
    if kind == "group":
        return group([build(member) for member in tree["members"]])
    return chord([build(member) for member in tree["header"]], build(tree["body"]))


def shown(value):
    if isinstance(value, BaseException):
        return "error " + type(value).__name__
    if isinstance(value, (list, tuple)):
        return [shown(each) for each in value]
    return value


def state(result):
    """A group in a group is one member: it succeeds where all of its own do."""
    if not isinstance(result, GroupResult):
        return result.state
    return "SUCCESS" if all(state(member) == "SUCCESS" for member in result.results) else "FAILURE"


def states(result):
    return [state(member) for member in result.results] if isinstance(result, GroupResult) else [result.state]


def answer(tree):
    runs.clear()
    labels.clear()
    raised = False
    try:
        result = build(tree).apply_async()
        value, ended = shown(result.get(propagate=False)), states(result)
    except RangeError as error:
        raised, value, ended = True, shown(error), ["FAILURE"]
    return {"value": value, "states": ended, "runs": runs, "labels": labels, "raised": raised}


for line in sys.stdin:
    try:
        given = answer(json.loads(line)["tree"])
    except Exception as error:
        given = {"error": repr(error)}
    print(json.dumps(given), flush=True)
