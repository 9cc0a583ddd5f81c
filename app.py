"""The roof: the Chalice app, with the actions as routes and the functions that run without a caller.

Every function bound here deploys as its own Lambda; `infra/resources.yaml` has the settings and event sources of each.
"""

from __future__ import annotations

import gc
from typing import Any

# What is imported stays: looking for garbage among it takes a twelfth of a cold start.
gc.disable()

from chalice import Chalice, Rate
from chalice.app import CloudWatchEvent, DynamoDBEvent, SQSEvent

from chalicelib.core import settings

# Before anything could reach a table.
settings.require()

from chalicelib.action.http import mount
from chalicelib.modules import find
from chalicelib.modules.routes import ROUTES

app = Chalice(app_name="workledger", configure_logs=False)

mount(app, ROUTES, find)


# The sources are literals that Chalice insists on; the template puts the real table's and queue's in their place.


@app.on_dynamodb_record(stream_arn="arn:aws:dynamodb:us-east-1:000000000000:table/workledger/stream/replaced")
def consume_stream(event: DynamoDBEvent) -> dict[str, Any]:
    from chalicelib.jobs import stream

    return stream.consume(event.to_dict(), event.context)


@app.on_dynamodb_record(stream_arn="arn:aws:dynamodb:us-east-1:000000000000:table/workledger/stream/replaced")
def dispatch_stream(event: DynamoDBEvent) -> dict[str, Any]:
    from chalicelib.jobs import dispatch

    return dispatch.consume(event.to_dict(), event.context)


@app.on_sqs_message(queue_arn="arn:aws:sqs:us-east-1:000000000000:replaced")
def deliver_mail(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.jobs import mail_queue

    return mail_queue.work(event.to_dict(), event.context)


@app.on_sqs_message(queue_arn="arn:aws:sqs:us-east-1:000000000000:replaced")
def record_activities(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.jobs import feed_queue

    return feed_queue.work(event.to_dict(), event.context)


@app.on_sqs_message(queue_arn="arn:aws:sqs:us-east-1:000000000000:replaced")
def recalculate_metrics(event: SQSEvent) -> dict[str, Any]:
    from chalicelib.jobs import metrics_queue

    return metrics_queue.work(event.to_dict(), event.context)


# Not Chalice's schedule, which takes nothing else: operators invoke it, too. The template says when it runs by itself.
@app.lambda_function()
def reconcile_rollups(event: dict[str, Any], context: Any) -> int:
    from chalicelib.jobs import operator

    return operator.reconcile_rollups(event)


# Operators invoke it, and the template gives it the stream's dead letters.
@app.lambda_function()
def redrive_stream(event: dict[str, Any], context: Any) -> int | dict[str, Any]:
    from chalicelib.jobs import operator

    return operator.redrive_stream(event)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def schedule_metrics(event: CloudWatchEvent) -> int:
    from chalicelib.jobs import recalculation

    return recalculation.tick()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def sweep_outbox(event: CloudWatchEvent) -> int:
    from chalicelib.jobs import mail_queue

    return mail_queue.sweep()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def remind_timers(event: CloudWatchEvent) -> int:
    from chalicelib.jobs import reminders

    return reminders.tick(event.context)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def report_weekly(event: CloudWatchEvent) -> int:
    from chalicelib.jobs import weekly_reports

    return weekly_reports.tick(event.context)


@app.schedule(Rate(1, unit=Rate.HOURS))
def watch_loans(event: CloudWatchEvent) -> int:
    from chalicelib.jobs import loan_watch

    return loan_watch.tick(event.context)


@app.lambda_function()
def set_subscription_tier(event: dict[str, Any], context: Any) -> dict[str, Any]:
    from chalicelib.jobs import operator

    return operator.set_subscription_tier(event, context.aws_request_id)


gc.freeze()
# A list makes some thousands of objects, of which nearly all go without the collector: a twentieth of its time.
gc.set_threshold(50_000)
gc.enable()
