"""The table in an engine matches `infra/resources.yaml`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import botocore.session
import pytest

from infra.local import table
from infra.local.engine import Engine, Store, running
from infra.local.template import load, properties

# Parameters of CreateTable that local tables omit: they protect deployed ones.
GUARDS = {"DeletionProtectionEnabled", "SSESpecification", "TableName", "Tags"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running(Store.MOTO) as engine:
        yield engine


def test_a_created_table_is_as_defined(engine: Engine) -> None:
    client, name = engine.client("dynamodb"), f"table-{uuid4()}"
    table.create_table(client, name)
    created = client.describe_table(TableName=name)["Table"]
    defined = properties("Table")
    assert table.shape(created) == table.shape(defined)
    assert created["BillingModeSummary"]["BillingMode"] == defined["BillingMode"]
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": defined["TimeToLiveSpecification"]["AttributeName"]}


def test_no_parameter_of_create_table_is_left_out() -> None:
    model = botocore.session.get_session().get_service_model("dynamodb").operation_model("CreateTable")
    accepted = set(model.input_shape.members) & set(properties("Table"))
    assert accepted - set(table.table_definition()) <= GUARDS


def test_an_existing_table_is_used(engine: Engine) -> None:
    client, name = engine.client("dynamodb"), f"table-{uuid4()}"
    table.ensure_table(client, name)
    client.put_item(TableName=name, Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
    table.ensure_table(client, name)
    assert client.scan(TableName=name)["Count"] == 1


def test_an_existing_table_of_another_shape_is_refused(engine: Engine) -> None:
    client, name = engine.client("dynamodb"), f"table-{uuid4()}"
    client.create_table(TableName=name, **_without_indexes())
    with pytest.raises(table.TableDiffers, match=name):
        table.ensure_table(client, name)


def _without_indexes() -> dict[str, Any]:
    definition = table.table_definition()
    del definition["GlobalSecondaryIndexes"]
    keys = {row["AttributeName"] for row in definition["KeySchema"]}
    attributes = [row for row in definition["AttributeDefinitions"] if row["AttributeName"] in keys]
    return definition | {"AttributeDefinitions": attributes}


@pytest.mark.parametrize("resource", ["MailQueue", "MetricsQueue"])
def test_a_queue_has_the_defined_number_of_receives(engine: Engine, resource: str) -> None:
    client = engine.client("sqs")
    url = table.create_queue(client, resource, f"queue-{uuid4()}")
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    defined = properties(resource)
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == defined["RedrivePolicy"]["maxReceiveCount"]
    assert int(attributes["VisibilityTimeout"]) == defined["VisibilityTimeout"]


def test_short_tags_are_read(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("{a: !Ref B, c: !GetAtt D.Arn, e: !Join [x, [!Sub y]], f: !If {g: h}}")
    assert load(template) == {
        "a": {"Ref": "B"},
        "c": {"Fn::GetAtt": "D.Arn"},
        "e": {"Fn::Join": ["x", [{"Fn::Sub": "y"}]]},
        "f": {"Fn::If": {"g": "h"}},
    }
