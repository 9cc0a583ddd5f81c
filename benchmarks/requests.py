"""CPU of single requests: the action runner and the calls of the action."""

from __future__ import annotations

import time

from benchmarks.tables import show
from infra.local.gateway import Gateway, HttpRequest
from tests.support.api import Api
from tests.support.factories import new_organization

_REPEATS = 100


def run(api: Api) -> None:
    import app

    gateway = Gateway(app.app)
    organization = new_organization(api)
    for number in range(20):
        organization.owner.call("createClient", body={"name": f"Client {number}"})
    client = organization.owner.call("getClients").data["data"][0]["id"]
    headers = {"authorization": [f"Bearer {organization.owner.token}"], "content-type": ["application/json"]}
    requests = {
        "refused: no token": HttpRequest("GET", "/api/v1/clients", {}, b"", "198.51.100.7"),
        "getUserRole": HttpRequest("GET", "/api/v1/auth/role", headers, b"", "198.51.100.7"),
        "getClient": HttpRequest("GET", f"/api/v1/clients/{client}", headers, b"", "198.51.100.7"),
        "getClients, a page of 20": HttpRequest("GET", "/api/v1/clients", headers, b"", "198.51.100.7"),
        "updateClient": HttpRequest(
            "PATCH", f"/api/v1/clients/{client}", headers, b'{"phone": "+49 40 1234"}', "198.51.100.7"
        ),
    }
    rows = []
    for name, request in requests.items():
        gateway.handle(request)
        started = time.process_time()
        for _ in range(_REPEATS):
            gateway.handle(request)
        rows.append((name, (time.process_time() - started) * 1000 / _REPEATS))
    least = rows[0][1]
    show(
        "CPU of a request, without the engine",
        ("request", "CPU ms", "to a refusal"),
        [(name, cpu, cpu / least) for name, cpu in rows],
    )
