"""A service as Powertools' own examples build it: resolver, validation, logger, metrics and idempotency."""

from __future__ import annotations

import os
import uuid
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer

from benchmarks.peers import powertools_resolver
from benchmarks.peers.contracts import Client, CreateClient
from benchmarks.peers.powertools_resolver import get_client, get_clients

_logger = Logger(service="clients", level="INFO")
_metrics = Metrics(namespace="Clients", service="clients")
_store = DynamoDBPersistenceLayer(table_name=os.environ["PEERS_IDEMPOTENCY_TABLE"])
_config = IdempotencyConfig(expires_after_seconds=3600)
_app = APIGatewayRestResolver(enable_validation=True)
_app.get("/clients/<client_id>")(get_client)
_app.get("/clients")(get_clients)


@idempotent_function(
    data_keyword_argument="data", persistence_store=_store, config=_config, output_serializer=PydanticSerializer(Client)
)
def _create(*, data: CreateClient) -> Client:
    client = Client(id=uuid.uuid4(), **data.model_dump())
    item = {"pk": "ORG#1", "sk": f"CLIENT#{client.id}", **client.model_dump(mode="json")}
    powertools_resolver._table.put_item(Item=item)
    return client


@_app.post("/clients")
def create_client(data: CreateClient) -> tuple[Client, int]:
    client = _create(data=data)
    _metrics.add_metric(name="ClientsCreated", unit=MetricUnit.Count, value=1)
    _logger.info("client created", extra={"client_id": str(client.id)})
    return client, 201


@_logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@_metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    _config.register_lambda_context(context)
    return _app.resolve(event, context)
