"""Properties of a deployed stage, as in the packaged template."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.action import console
from chalicelib.action.security_headers import SECURITY_HEADERS
from chalicelib.dal import keys
from chalicelib.jobs import aws_clients, mail_queue
from chalicelib.jobs.deadline import MARGIN_MILLISECONDS
from chalicelib.models import outbox
from infra import template

Json = dict[str, Any]

FUNCTIONS = {
    "APIHandler", "ConsumeStream", "DeliverMail", "DispatchStream", "RecalculateMetrics", "ReconcileRollups",
    "RecordActivities", "RedriveStream", "RemindTimers", "ReportWeekly", "ScheduleMetrics", "SetSubscriptionTier",
    "SweepOutbox", "WatchLoans",
}  # fmt: skip
POLICIES = sorted(Path(__file__).parents[2].glob(".chalice/policy-*.json"))
GATEWAY_SECONDS = 29
LIVE_SETTINGS = {
    "LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME", "WORKLEDGER_ABUSE_CONTACT",
    "WORKLEDGER_APP_URL", "WORKLEDGER_CORS_ORIGIN", "WORKLEDGER_FEED_QUEUE_URL", "WORKLEDGER_MAIL_FROM",
    "WORKLEDGER_MAIL_QUEUE_URL", "WORKLEDGER_METRICS_QUEUE_URL", "WORKLEDGER_STAGE", "WORKLEDGER_TABLE",
    "WORKLEDGER_TRACING",
}  # fmt: skip

NOT_FOUND = (404, "NOT_FOUND")
GATEWAY_ANSWERS = {
    "ACCESS_DENIED": (403, "FORBIDDEN"),
    "BAD_REQUEST_BODY": (400, "VALIDATION_ERROR"),
    "BAD_REQUEST_PARAMETERS": (400, "VALIDATION_ERROR"),
    "DEFAULT_4XX": NOT_FOUND,
    "DEFAULT_5XX": (500, "INTERNAL_ERROR"),
    "INTEGRATION_FAILURE": (503, "DATABASE_ERROR"),
    "INTEGRATION_TIMEOUT": (503, "DATABASE_ERROR"),
    "MISSING_AUTHENTICATION_TOKEN": NOT_FOUND,
    "QUOTA_EXCEEDED": (429, "RATE_LIMITED"),
    "REQUEST_TOO_LARGE": (413, "PAYLOAD_TOO_LARGE"),
    "RESOURCE_NOT_FOUND": NOT_FOUND,
    "THROTTLED": (429, "RATE_LIMITED"),
    "UNAUTHORIZED": (401, "NOT_AUTHENTICATED"),
    "UNSUPPORTED_MEDIA_TYPE": (400, "VALIDATION_ERROR"),
    "WAF_FILTERED": (403, "FORBIDDEN"),
}


@pytest.fixture(scope="session", params=template.STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def packaged_file(stage: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = Path(os.environ.get("WORKLEDGER_PACKAGE", ""), template.TEMPLATE)
    if built.parent.name == stage and built.exists():  # `make test` has packaged it for the e2e
        return built
    return template.build(stage, tmp_path_factory.mktemp(stage))


@pytest.fixture(scope="session")
def packaged(packaged_file: Path) -> Json:
    parsed: Json = json.loads(packaged_file.read_text())
    return parsed


@pytest.fixture
def resources(packaged: Json) -> Json:
    resources: Json = packaged["Resources"]
    return resources


def of_type(resources: Json, kind: str) -> dict[str, Json]:
    return {name: row.get("Properties", {}) for name, row in resources.items() if row["Type"] == kind}


def functions(resources: Json) -> dict[str, Json]:
    return of_type(resources, "AWS::Serverless::Function")


def statements(resources: Json) -> Iterator[tuple[str, Json]]:
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def actions_of(resources: Json, role: str, service: str) -> set[str]:
    actions = {action for name, statement in statements(resources) if name == role for action in statement["Action"]}
    return {action for action in actions if action.startswith(f"{service}:")}


def source(resources: Json, function: str) -> Json:
    (event,) = functions(resources)[function]["Events"].values()
    properties: Json = event["Properties"]
    return properties


# -- the template as a whole -----------------------------------------------------------------------------------------


def test_the_linter_has_no_findings(packaged_file: Path) -> None:
    template.lint(packaged_file)


def test_the_linter_finds_errors(tmp_path: Path) -> None:
    misspelt = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeOut": 30}}
    (tmp_path / "invalid.json").write_text(json.dumps({"Resources": {"Queue": misspelt}}))
    with pytest.raises(template.PackagingFailed):
        template.lint(tmp_path / "invalid.json")


def test_the_stage_is_set(packaged: Json, stage: str) -> None:
    assert packaged["Parameters"]["Stage"]["Default"] == stage
    assert packaged["Resources"]["RestAPI"]["Properties"]["StageName"] == stage


def test_the_package_has_the_files_of_the_console(packaged_file: Path) -> None:
    with zipfile.ZipFile(packaged_file.with_name("deployment.zip")) as archive:
        packed = {name for name in archive.namelist() if name.startswith("chalicelib/console/")}
    assert packed == {path.relative_to(template.ROOT).as_posix() for path in console.FILES.rglob("*") if path.is_file()}


def test_the_outputs_of_a_deployment(packaged: Json) -> None:
    assert {"ApiUrl", "ConsoleUrl", "FeedQueueUrl", "MailQueueUrl", "MetricsQueueUrl", "TableName"} <= set(
        packaged["Outputs"]
    )


# -- functions -------------------------------------------------------------------------------------------------------


def test_the_functions_are_these(resources: Json) -> None:
    assert set(functions(resources)) == FUNCTIONS


def test_functions_are_sized_and_traced(resources: Json, stage: str) -> None:
    for name, function in functions(resources).items():
        assert function["MemorySize"] >= 512, name
        assert function["Tracing"] == "Active", name
        assert function["Runtime"] == f"python3.{sys.version_info.minor}", name
        # Packaging downloads wheels for the stage's architecture.
        assert function["Architectures"] == [{"dev": "x86_64", "prod": "arm64"}[stage]], name


def test_functions_end_before_their_callers_time_out(resources: Json) -> None:
    timeouts = {name: function["Timeout"] for name, function in functions(resources).items()}
    assert timeouts["APIHandler"] < GATEWAY_SECONDS
    for schedule in ("RemindTimers", "ReportWeekly", "ScheduleMetrics", "SweepOutbox"):
        assert timeouts[schedule] < 60
    workers = {
        "FeedDeadLetters": "RedriveStream",
        "FeedQueue": "RecordActivities",
        "MailQueue": "DeliverMail",
        "MetricsQueue": "RecalculateMetrics",
        "StreamDeadLetters": "RedriveStream",
    }
    for queue, worker in workers.items():
        assert resources[queue]["Properties"]["VisibilityTimeout"] >= 6 * timeouts[worker]
    assert max(timeouts.values()) <= 300


def test_functions_get_their_settings(packaged: Json) -> None:
    settings = packaged["Globals"]["Function"]["Environment"]["Variables"]
    assert set(settings) == LIVE_SETTINGS
    assert settings["WORKLEDGER_TABLE"] == {"Ref": "Table"}
    assert settings["WORKLEDGER_MAIL_QUEUE_URL"] == {"Ref": "MailQueue"}
    assert settings["WORKLEDGER_METRICS_QUEUE_URL"] == {"Ref": "MetricsQueue"}
    own = {name: function.get("Environment") for name, function in functions(packaged["Resources"]).items()}
    assert own.pop("DeliverMail")["Variables"].keys() == {"WORKLEDGER_API_URL"}
    assert set(own.values()) == {None}


def test_logs_are_kept_for_a_time(packaged: Json) -> None:
    resources = packaged["Resources"]
    groups = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions(resources).values()]
    assert len(set(groups)) == len(FUNCTIONS)
    for group in groups:
        assert resources[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert packaged["Parameters"]["LogRetentionDays"]["Default"] > 0


# -- roles -----------------------------------------------------------------------------------------------------------


def test_every_function_has_its_own_role(resources: Json) -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions(resources).values()]
    assert len(set(roles)) == len(FUNCTIONS)
    assert set(roles) == set(of_type(resources, "AWS::IAM::Role"))


def test_no_role_has_a_wildcard(resources: Json) -> None:
    for role, statement in statements(resources):
        assert statement["Effect"] == "Allow", role
        assert not [action for action in statement["Action"] if "*" in action], role
        # X-Ray has no resources; all other statements name theirs.
        if set(statement["Action"]) != {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}:
            assert statement["Resource"] != "*", (role, statement)
            texts = re.findall(r'"[^"]*\*[^"]*"', json.dumps(statement["Resource"]))
            assert set(texts) <= {'"${Table.Arn}/stream/*"'}, (role, texts)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_a_role_has_the_policy_of_its_function(resources: Json, policy: Path) -> None:
    # tests/jobs/test_policies.py compares the jobs' permissions on the table with their calls.
    name = policy.stem.removeprefix("policy-").title().replace("_", "")
    granted = [statement for role, statement in statements(resources) if role == f"{name}Role"]
    assert granted == json.loads(policy.read_text())["Statement"]


def test_called_functions_have_only_the_table_permissions_they_need(resources: Json) -> None:
    rows = {"BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}
    for role, actions in {
        "ApiHandlerRole": rows,
        "SetSubscriptionTierRole": {"GetItem", "PutItem", "UpdateItem"},
    }.items():
        assert actions_of(resources, role, "dynamodb") == {f"dynamodb:{action}" for action in actions}, role


def test_only_producers_may_send_messages(resources: Json) -> None:
    queues = {
        (role, statement["Resource"]["Fn::GetAtt"][0])
        for role, statement in statements(resources)
        if "sqs:SendMessage" in statement["Action"]
    }
    assert queues == {
        ("ConsumeStreamRole", "MetricsQueue"),
        ("ConsumeStreamRole", "StreamDeadLetters"),
        ("DispatchStreamRole", "FeedQueue"),
        ("DispatchStreamRole", "MailQueue"),
        ("DispatchStreamRole", "StreamDeadLetters"),
        ("RecalculateMetricsRole", "MetricsQueue"),
        ("ReconcileRollupsRole", "MetricsQueue"),
        ("RedriveStreamRole", "MetricsQueue"),
        ("ScheduleMetricsRole", "MetricsQueue"),
        ("SweepOutboxRole", "MailQueue"),
    }


def test_only_senders_send_mail_and_only_as_the_sender(resources: Json) -> None:
    senders = {role for role, statement in statements(resources) if "ses:SendEmail" in statement["Action"]}
    assert senders == {"DeliverMailRole"}
    for _, statement in statements(resources):
        if "ses:SendEmail" in statement["Action"]:
            assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}
            assert ":identity/${Identity}" in json.dumps(statement["Resource"])


def test_complaints_reach_the_domain_that_mail_comes_from(packaged: Json) -> None:
    contact = packaged["Globals"]["Function"]["Environment"]["Variables"]["WORKLEDGER_ABUSE_CONTACT"]
    domain = {"Fn::Select": [1, {"Fn::Split": ["@", {"Ref": "MailFrom"}]}]}
    assert contact["Fn::If"] == ["HasAbuseContact", {"Ref": "AbuseContact"}, {"Fn::Join": ["@", ["abuse", domain]]}]
    assert packaged["Parameters"]["AbuseContact"]["Default"] == ""


def test_a_sender_ends_before_its_claim_on_a_mail_does(resources: Json) -> None:
    senders = {
        role.removesuffix("Role") for role, statement in statements(resources) if "ses:SendEmail" in statement["Action"]
    }
    for name in senders:
        seconds = functions(resources)[name]["Timeout"]
        assert seconds <= outbox.SENDER_SECONDS < outbox.LEASE.total_seconds(), name
        # After a mail that hangs until its timeout, the sender still has time to release it.
        assert seconds > 1.5 * aws_clients.MAX_CALL_SECONDS, name
    assert outbox.LEASE < mail_queue.PATIENCE
    assert outbox.LEASE.total_seconds() < resources["MailQueue"]["Properties"]["VisibilityTimeout"]
    assert source(resources, "DeliverMail")["BatchSize"] == 1


# -- the table -------------------------------------------------------------------------------------------------------


def test_the_table_is_protected(resources: Json) -> None:
    table = resources["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}


def test_the_table_is_shaped_as_the_code_expects(resources: Json) -> None:
    table = resources["Table"]["Properties"]
    assert "TableName" not in table
    assert "LocalSecondaryIndexes" not in table
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    keys = {
        index["IndexName"]: ([key["AttributeName"] for key in index["KeySchema"]], index["Projection"])
        for index in table["GlobalSecondaryIndexes"]
    }
    assert keys == {
        "gsi1": (["gsi1pk", "sk"], {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["search", "facets"]}),
        "gsi2": (["gsi2pk", "sk"], {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["data"]}),
        "gsi3": (["gsi3pk", "sk"], {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["data"]}),
        "gsi4": (
            ["gsi4pk", "sk"],
            {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["reference", "rates", "long_running"]},
        ),
        **{
            f"gsi{number}": ([f"gsi{number}pk", "at"], {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["facets"]})
            for number in range(5, 10)
        },
    }


# -- events ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("consumer", ["ConsumeStream", "DispatchStream"])
def test_one_bad_change_blocks_no_other_of_the_tables_stream(resources: Json, consumer: str) -> None:
    stream = source(resources, consumer)
    assert stream["Stream"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert 0 < stream["MaximumRetryAttempts"] <= 20
    assert stream["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["StreamDeadLetters", "Arn"]}


def test_the_stream_has_two_readers_and_the_dispatcher_gets_only_entries_and_mail(resources: Json) -> None:
    sources = [
        event["Properties"]
        for function in functions(resources).values()
        for event in function.get("Events", {}).values()
    ]
    assert len([source for source in sources if "Stream" in source]) == 2
    patterns = [json.loads(row["Pattern"]) for row in source(resources, "DispatchStream")["FilterCriteria"]["Filters"]]
    assert patterns == [
        {"eventName": ["INSERT"], "dynamodb": {"NewImage": image}}
        for image in (
            {"data": {"M": {"requestId": {"S": [{"exists": True}]}}}},
            {"gsi2pk": {"S": [keys.UNSENT_MAIL.pk]}},
        )
    ]


def test_organizations_do_not_wait_for_each_other_at_the_feed_queue(resources: Json) -> None:
    queue = resources["FeedQueue"]["Properties"]
    assert (queue["FifoQueue"], queue["ContentBasedDeduplication"]) == (True, True)
    # The limits of a queue's throughput hold for each organization by itself.
    assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
    assert source(resources, "RecordActivities")["ScalingConfig"]["MaximumConcurrency"] >= 10


def test_a_batch_of_the_stream_fits_its_timeout_and_runs_alone(resources: Json) -> None:
    stream = source(resources, "ConsumeStream")
    seconds = functions(resources)["ConsumeStream"]["Timeout"] - MARGIN_MILLISECONDS / 1000
    # At a tenth of the measured rate
    assert stream["BatchSize"] / seconds <= 10
    assert stream["ParallelizationFactor"] == 1


@pytest.mark.parametrize(
    ("worker", "queue_name"),
    [("DeliverMail", "Mail"), ("RecalculateMetrics", "Metrics"), ("RecordActivities", "Feed")],
)
def test_one_bad_message_repeats_no_other(resources: Json, worker: str, queue_name: str) -> None:
    queue = source(resources, worker)
    assert queue["Queue"] == {"Fn::GetAtt": [f"{queue_name}Queue", "Arn"]}
    assert queue["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    redrive = resources[f"{queue_name}Queue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{queue_name}DeadLetters", "Arn"]}
    assert redrive["maxReceiveCount"] == 5


def test_dead_letters_of_the_stream_are_redriven_together(resources: Json) -> None:
    letters, of_the_feed = [event["Properties"] for event in functions(resources)["RedriveStream"]["Events"].values()]
    assert of_the_feed["Queue"] == {"Fn::GetAtt": ["FeedDeadLetters", "Arn"]}
    assert of_the_feed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert letters["Queue"] == {"Fn::GetAtt": ["StreamDeadLetters", "Arn"]}
    assert letters["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert letters["BatchSize"] >= 1000
    assert letters["MaximumBatchingWindowInSeconds"] == 300


def test_recalculations_have_batches_of_one_message(resources: Json) -> None:
    assert source(resources, "RecalculateMetrics")["BatchSize"] == 1


def test_schedules(resources: Json) -> None:
    names = ("ReconcileRollups", "RemindTimers", "ReportWeekly", "ScheduleMetrics", "SweepOutbox", "WatchLoans")
    assert {name: source(resources, name)["Schedule"] for name in names} == {
        "ReconcileRollups": "cron(17 2 * * ? *)",
        "RemindTimers": "rate(1 minute)",
        "ReportWeekly": "rate(1 minute)",
        "ScheduleMetrics": "rate(1 minute)",
        "SweepOutbox": "rate(1 minute)",
        "WatchLoans": "rate(1 hour)",
    }


def test_queues_are_encrypted_and_dead_letters_stay_two_weeks(resources: Json) -> None:
    for name, queue in of_type(resources, "AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name
    for name in ("FeedDeadLetters", "MailDeadLetters", "MetricsDeadLetters", "StreamDeadLetters"):
        assert resources[name]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert resources[name]["DeletionPolicy"] == "Retain"


def test_no_placeholders_are_left(packaged_file: Path) -> None:
    text = packaged_file.read_text()
    assert "cors-origin.invalid" not in text
    assert not re.search(r"arn:aws:[a-z]+:[a-z0-9-]*:\d{12}:", text)


# -- the gateway -----------------------------------------------------------------------------------------------------


def test_the_gateway_limits_and_traces(packaged: Json) -> None:
    api = packaged["Resources"]["RestAPI"]["Properties"]
    (limits,) = api["MethodSettings"]
    assert (limits["ResourcePath"], limits["HttpMethod"]) == ("/*", "*")
    for limit, parameter in (("ThrottlingRateLimit", "RequestsPerSecond"), ("ThrottlingBurstLimit", "RequestBurst")):
        assert limits[limit] == {"Ref": parameter}
        assert packaged["Parameters"][parameter]["Default"] > 0
    assert api["TracingEnabled"] is True


def test_firewall_and_reserved_concurrency_are_optional(packaged: Json) -> None:
    resources, parameters = packaged["Resources"], packaged["Parameters"]
    assert (parameters["WafRequestsPerFiveMinutes"]["Default"], parameters["ApiConcurrency"]["Default"]) == (0, 0)
    for name in ("WebAcl", "WebAclAssociation"):
        assert resources[name]["Condition"] == "HasWebAcl"
    (rule,) = resources["WebAcl"]["Properties"]["Rules"]
    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
        "Limit": {"Ref": "WafRequestsPerFiveMinutes"},
    }
    association = resources["WebAclAssociation"]["Properties"]
    assert association["WebACLArn"] == {"Fn::GetAtt": ["WebAcl", "Arn"]}
    assert association["ResourceArn"]["Fn::Sub"].endswith("/restapis/${RestAPI}/stages/${RestAPI.Stage}")
    reserved = {name: function.get("ReservedConcurrentExecutions") for name, function in functions(resources).items()}
    assert reserved.pop("APIHandler") == {
        "Fn::If": ["ReservesApiConcurrency", {"Ref": "ApiConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
    assert set(reserved.values()) == {None}


@pytest.mark.parametrize("response_type", sorted(GATEWAY_ANSWERS))
def test_the_gateway_answers_in_the_envelope(resources: Json, response_type: str) -> None:
    status, code = GATEWAY_ANSWERS[response_type]
    response = resources["RestAPI"]["Properties"]["GatewayResponses"][response_type]
    assert response["StatusCode"] == status
    rendered = response["ResponseTemplates"]["application/json"].replace("$context.requestId", "an-id")
    body = json.loads(rendered)
    assert body["success"] is False
    assert body["error"].pop("message")
    assert body["error"] == {"code": code, "requestId": "an-id"}
    headers = response["ResponseParameters"]["Headers"]
    assert headers["X-Request-Id"] == "context.requestId"
    assert headers["Access-Control-Allow-Origin"] == {"Fn::Sub": "'${CorsOrigin}'"}
    for name in SECURITY_HEADERS.keys() - {"Content-Security-Policy"}:
        assert headers[name] == f"'{SECURITY_HEADERS[name]}'"
    if status in {429, 503}:
        assert re.fullmatch(r"'\d+'", headers["Retry-After"])


def test_no_other_gateway_answer_is_defined(resources: Json) -> None:
    assert set(resources["RestAPI"]["Properties"]["GatewayResponses"]) == set(GATEWAY_ANSWERS)


def test_the_app_answers_every_method_of_a_known_path(resources: Json) -> None:
    paths = resources["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    assert len(paths) > 60
    for path, methods in paths.items():
        any_method = methods["x-amazon-apigateway-any-method"]
        app = any_method["x-amazon-apigateway-integration"]
        routed = [method for name, method in methods.items() if name != "options"]
        assert all(method["x-amazon-apigateway-integration"] == app for method in routed), path
        assert app["type"] == "aws_proxy"
        in_path = {row["name"] for row in any_method["parameters"] if row["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert ("head" in methods) == ("get" in methods)


def test_the_template_fits_cloudformations_limit(packaged_file: Path) -> None:
    # The limit is 1 MB for a template in a bucket. This one is indented, the deployed one is not.
    assert len(json.dumps(json.loads(packaged_file.read_text()), separators=(",", ":"))) < 700_000


def test_preflights_have_the_origin_of_the_deployment(resources: Json) -> None:
    paths = resources["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    preflights = [path["options"] for path in paths.values() if "options" in path]
    assert preflights
    for preflight in preflights:
        answer = preflight["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
        assert answer["method.response.header.Access-Control-Allow-Origin"] == {"Fn::Sub": "'${CorsOrigin}'"}


# -- alarms ----------------------------------------------------------------------------------------------------------


def watched(resources: Json) -> set[tuple[str, str, str]]:
    """Return (namespace, metric, subject) of all alarms."""
    subjects = set()
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        metrics = [row["MetricStat"]["Metric"] for row in alarm.get("Metrics", []) if "MetricStat" in row]
        for metric in metrics or [alarm]:
            for dimension in metric["Dimensions"]:
                value = dimension["Value"]
                subject = value if isinstance(value, str) else value.get("Ref") or value["Fn::GetAtt"][0]
                subjects.add((metric["Namespace"], metric["MetricName"], subject))
    return subjects


def test_every_function_has_alarms(resources: Json) -> None:
    alarms = watched(resources)
    for function in FUNCTIONS:
        assert ("AWS/Lambda", "Errors", function) in alarms
        assert ("AWS/Lambda", "Throttles", function) in alarms


def test_api_queues_stream_and_table_have_alarms(resources: Json) -> None:
    assert {
        ("AWS/ApiGateway", "5XXError", "workledger"),
        ("AWS/DynamoDB", "ReadThrottleEvents", "Table"),
        ("AWS/DynamoDB", "SystemErrors", "Table"),
        ("AWS/DynamoDB", "WriteThrottleEvents", "Table"),
        *(("AWS/DynamoDB", "WriteThrottleEvents", f"gsi{number}") for number in range(1, 10)),
        *(("AWS/DynamoDB", "ReadThrottleEvents", f"gsi{number}") for number in range(1, 10)),
        ("AWS/Lambda", "IteratorAge", "ConsumeStream"),
        ("AWS/Lambda", "IteratorAge", "DispatchStream"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "FeedQueue"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "FeedDeadLetters"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "MailDeadLetters"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "MetricsQueue"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "MetricsDeadLetters"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "StreamDeadLetters"),
    } <= watched(resources)


def test_repaired_losses_have_alarms(resources: Json) -> None:
    metrics = {metric for namespace, metric, _ in watched(resources) if namespace == "Workledger"}
    assert metrics >= {"RestoredActivities", "RollupDrift", "StreamRecordsGivenUp", "UnreadableAuditEntries"}


def test_alarms_go_to_the_topic_and_missing_data_is_not_breaching(resources: Json) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    assert alarms
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm["TreatMissingData"] == "notBreaching", name
    subscription = resources["AlarmSubscription"]
    assert subscription["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}
    assert subscription["Condition"] == "HasAlarmEmail"


def test_the_dashboard_is_valid(resources: Json) -> None:
    (dashboard,) = of_type(resources, "AWS::CloudWatch::Dashboard").values()
    body = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    assert len(body["widgets"]) >= 12
