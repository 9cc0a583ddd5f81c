"""Deploy a packaged template to the emulator, adapted to its gaps."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.e2e.emulator import E2eFailed, Emulator

NAME = "workledger-e2e"
ORIGIN = "https://app.workledger.test"
SENDER = "no-reply@workledger.test"
_BUCKET = "artifacts"
_DEPLOYED_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Stack:
    api_url: str
    table: str
    functions: dict[str, str]
    """Logical id to name."""
    queues: dict[str, str]
    """Logical id to URL."""


def deploy(emulator: Emulator, template_file: Path) -> Stack:
    template = adapt(json.loads(template_file.read_text()))
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    s3.upload_file(str(template_file.with_name("deployment.zip")), _BUCKET, "deployment.zip")
    s3.put_object(Bucket=_BUCKET, Key="template.json", Body=json.dumps(template).encode())
    parameters = {"MailFrom": SENDER, "CorsOrigin": ORIGIN, "AppUrl": ORIGIN}
    emulator.client("cloudformation").create_stack(
        StackName=NAME,
        TemplateURL=f"{emulator.url}/{_BUCKET}/template.json",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    outputs = await_outputs(emulator)
    stage = template["Resources"]["RestAPI"]["Properties"]["StageName"]
    put_gateway_responses(emulator, template, outputs["RestAPIId"])
    put_any_methods(emulator, outputs["RestAPIId"])
    emulator.client("apigateway").create_deployment(restApiId=outputs["RestAPIId"], stageName=stage)
    return Stack(
        api_url=f"{emulator.url}/restapis/{outputs['RestAPIId']}/{stage}/_user_request_/api/v1",
        table=outputs["TableName"],
        functions=physical_ids(emulator, "AWS::Lambda::Function"),
        queues=physical_ids(emulator, "AWS::SQS::Queue"),
    )


def adapt(template: dict[str, Any]) -> dict[str, Any]:
    """Point the functions at the uploaded code, and drop all that the emulator does not support."""
    resources: dict[str, Any] = template["Resources"]
    for name, resource in list(resources.items()):
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = {"Bucket": _BUCKET, "Key": "deployment.zip"}
            for source in properties.get("Events", {}).values():
                # The emulator treats `exists: false` below a missing branch as a mismatch, and would drop all records.
                if '\\"exists\\": false' in json.dumps(source["Properties"].get("FilterCriteria")):
                    del source["Properties"]["FilterCriteria"]
        elif resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            # The emulator knows no metric math.
            del resources[name]
        elif resource["Type"] == "AWS::SQS::QueuePolicy":
            # This policy refuses plain HTTP, and the emulator has no TLS.
            del resources[name]
        elif resource["Type"] == "AWS::Logs::QueryDefinition":
            # The emulator has no Logs Insights.
            del resources[name]
        elif resource["Type"].startswith("AWS::WAFv2::"):
            # The emulator has no firewall; by default the stack has none either.
            del resources[name]
        elif resource["Type"] == "AWS::IAM::Role":
            widen(properties)
    return template


def widen(role: dict[str, Any]) -> None:
    """Widen the statements that the emulator evaluates more strictly than AWS; the others stay."""
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == ["ses:SendEmail"]:
                # The emulator knows neither the identity nor the sender.
                statement["Resource"] = "*"
                del statement["Condition"]
            elif statement["Action"] == ["sqs:SendMessage"]:
                # In AWS this action covers batches.
                statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]


def put_gateway_responses(emulator: Emulator, template: dict[str, Any], api: str) -> None:
    """Set the gateway responses: the emulator does not read them from the API's definition."""
    gateway = emulator.client("apigateway")
    for response_type, response in template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"].items():
        headers = response["ResponseParameters"]["Headers"]
        gateway.put_gateway_response(
            restApiId=api,
            responseType=response_type,
            statusCode=str(response["StatusCode"]),
            responseTemplates=response["ResponseTemplates"],
            responseParameters={f"gatewayresponse.header.{name}": _text(value) for name, value in headers.items()},
        )


def put_any_methods(emulator: Emulator, api: str) -> None:
    """Add the ANY method of each path, which the emulator does not read from the API's definition either."""
    gateway = emulator.client("apigateway")
    for resource in gateway.get_resources(restApiId=api, limit=500)["items"]:
        routed = next((method for method in resource.get("resourceMethods", {}) if method != "OPTIONS"), None)
        if routed is None:
            continue
        place = {"restApiId": api, "resourceId": resource["id"]}
        integration = gateway.get_integration(**place, httpMethod=routed)
        gateway.put_method(**place, httpMethod="ANY", authorizationType="NONE")
        gateway.put_integration(
            **place, httpMethod="ANY", type="AWS_PROXY", integrationHttpMethod="POST", uri=integration["uri"]
        )


def _text(value: str | dict[str, str]) -> str:
    return value if isinstance(value, str) else value["Fn::Sub"].replace("${CorsOrigin}", ORIGIN)


def await_outputs(emulator: Emulator) -> dict[str, str]:
    cloudformation = emulator.client("cloudformation")
    deadline = time.monotonic() + _DEPLOYED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        (stack,) = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.3)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
        failures = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        ]
        raise E2eFailed(f"the stack is {stack['StackStatus']}: {'; '.join(failures)}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def physical_ids(emulator: Emulator, kind: str) -> dict[str, str]:
    """Return the physical ids of the resources of one type, by logical id."""
    resources = emulator.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in resources if row["ResourceType"] == kind}
