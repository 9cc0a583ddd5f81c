"""The documentation page: Swagger UI around the OpenAPI document, in one file, so that it works offline."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from chalicelib.action.openapi import document_text
from chalicelib.action.security_headers import page_policy

_ASSETS = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
_ICON = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><path d='M1 1h6v1H1zm0 2h6v1H1zm0 2h4v1H1z'/></svg>"

_OWN_STYLE = "body { margin: 0 } .swagger-ui .info { margin: 24px 0 }"
_START = """
const spec = {document};
// Behind a gateway the API's paths start with the stage, as this page's do.
spec.servers = [{{ url: location.pathname.replace(/(\\/api\\/v1)?\\/docs\\/?$/, "") || "/" }}];
SwaggerUIBundle({{
  spec,
  dom_id: "#page",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: true,
  showCommonExtensions: true,
  validatorUrl: null,
}});
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Workledger API</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>{style}</style>
<style>{own_style}</style>
</head>
<body>
<div id="page"></div>
<script>{script}</script>
<script>{start}</script>
</body>
</html>
"""


@cache
def page() -> str:
    """Return the page; its inline scripts and styles are those of `policy`."""
    script, start = _scripts()
    style, own_style = _styles()
    icon = _ICON.replace("<", "%3C").replace(">", "%3E")
    return _PAGE.format(icon=icon, script=script, start=start, style=style, own_style=own_style)


@cache
def policy() -> str:
    """Return the page's Content-Security-Policy: its own scripts by their hashes, and requests to this API alone."""
    return page_policy(
        scripts=_scripts(), styles=_styles(), img_src="'self' data:", font_src="data:", connect_src="'self'"
    )


@cache
def _scripts() -> tuple[str, str]:
    # A closing tag inside the document would end the script that holds it.
    start = _START.format(document=document_text().replace("</", "<\\/"))
    return (files(_ASSETS) / "swagger-ui-bundle.min.js").read_text(), start


@cache
def _styles() -> tuple[str, str]:
    return (files(_ASSETS) / "swagger-ui.min.css").read_text(), _OWN_STYLE
