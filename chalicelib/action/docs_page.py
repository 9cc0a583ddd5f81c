"""The documentation page: Swagger UI around the OpenAPI document, in one file, so that it works offline."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aws_lambda_powertools.event_handler.openapi.swagger_ui import generate_swagger_html

from chalicelib.action.openapi import document_text

_ASSETS = "aws_lambda_powertools.event_handler.openapi.swagger_ui"


@cache
def page() -> str:
    assets = files(_ASSETS)
    html = generate_swagger_html(
        # A closing tag inside the document would end the script that holds it.
        document_text().replace("</", "<\\/"),
        (assets / "swagger-ui-bundle.min.js").read_text(),
        (assets / "swagger-ui.min.css").read_text(),
        swagger_base_url="",
        oauth2_config=None,
        persist_authorization=True,
    )
    return html.replace("<title>Swagger UI</title>", "<title>Workledger API</title>")
