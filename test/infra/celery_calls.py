"""The real Celery with settings of ours: one JSON object a line on stdin, one answer a line on stdout.

{"ask": "names", "prefix": text, "names": [Celery's name, ...]} -> [SQS's name, ...], as kombu makes them
{"ask": "work", "settings": {...}, "listed": [URL, ...], "tasks": [name, ...], "consume": queue}
  -> {"calls": {"sqs:SendMessage": [queue URL, ...], "dynamodb:GetItem": [table], ...}, "sent": {task: queue URL}, "items": [...]}

Nothing goes over a network: what boto3 would send is noted, and answered from here.
"""

import json
import sys

import botocore.client
from celery import Celery
from kombu.transport.SQS import Channel

calls = {}
items = []
sent = []
listed = []
received = []


def answer(client, operation, parameters):
    service = client.meta.service_model.service_name
    where = parameters.get("QueueUrl") or parameters.get("TableName") or parameters.get("QueueNamePrefix")
    calls.setdefault(f"{service}:{operation}", set()).add(where)
    if operation == "ListQueues":
        return {"QueueUrls": [url for url in listed if url.split("/")[-1].startswith(where)]}
    if operation == "GetQueueAttributes":
        return {"Attributes": {"ApproximateNumberOfMessages": "0"}}
    if operation == "SendMessage":
        sent.append((where, parameters["MessageBody"]))
    if operation == "ReceiveMessage":
        return {"Messages": [received.pop()] if received else []}
    if operation == "DescribeTimeToLive":
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}}
    if operation == "PutItem":
        items.append(sorted(parameters["Item"]))
    if operation == "UpdateItem":
        return {"Attributes": {"chord_count": {"N": "1"}}}
    return {}


botocore.client.BaseClient._make_api_call = answer


def produce(app, tasks):
    targets = {}
    for task in tasks:
        app.send_task(task, args=[1])
        targets[task] = sent[-1][0]
    return targets


def consume(app, name):
    """Two messages from a queue: one is acknowledged, one goes back."""
    received.extend({"Body": sent[-1][1], "ReceiptHandle": handle, "Attributes": {}} for handle in ("a", "b"))
    seen = []

    def on_message(message):
        (message.requeue if seen else message.ack)()
        seen.append(message)

    with app.connection_for_read() as connection:
        queue = app.amqp.queues[name]
        with app.amqp.TaskConsumer(connection.default_channel, queues=[queue], on_message=on_message):
            while len(seen) < 2:
                connection.drain_events(timeout=1)


def store(app):
    app.backend.store_result("1", 42, "SUCCESS")
    app.AsyncResult("1").forget()
    app.backend.incr(b"chord-unlock-1")


def work(settings, tasks, consumed):
    app = Celery("proj")
    app.conf.update(settings)
    targets = produce(app, tasks)
    if consumed:
        consume(app, consumed)
    store(app)
    return {"calls": {call: sorted(where) for call, where in calls.items()}, "sent": targets, "items": items}


def names(prefix, asked):
    channel = Channel.__new__(Channel)
    channel.queue_name_prefix = prefix
    return [channel.canonical_queue_name(name) for name in asked]


for line in sys.stdin:
    question = json.loads(line)
    if question["ask"] == "names":
        reply = names(question["prefix"], question["names"])
    else:
        listed[:] = question["listed"]
        reply = work(question["settings"], question["tasks"], question["consume"])
    print(json.dumps(reply), flush=True)
