"""getHealth and the documents."""

from __future__ import annotations

from tests.support import client_hooks
from tests.support.api import Api
from tests.support.client_hooks import Fault


def test_healthy_means_the_table_answers(api: Api) -> None:
    answer = api.call("getHealth")
    assert (answer.status, answer.data["status"]) == (200, "ok")
    assert answer.recording.operations == ["GetItem"]


def test_a_table_that_does_not_answer_is_a_database_error(api: Api) -> None:
    with client_hooks.broken(Fault(1, "request lost")):
        answer = api.call("getHealth")
    assert (answer.status, answer.code) == (503, "DATABASE_ERROR")
    assert answer.headers["Retry-After"] == "1"


def test_the_documents_need_no_token(api: Api) -> None:
    document = api.call("getOpenApi")
    assert document.headers["Content-Type"] == "application/json"
    assert document.json["openapi"].startswith("3.1")
    page = api.raw("GET", "/docs", {})
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Workledger API" in page.text
    assert "https://" not in page.text.partition("<script")[0]
