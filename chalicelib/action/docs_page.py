"""The documentation page: Swagger UI around the OpenAPI document, in one file, so that it works offline."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from chalicelib.action.openapi import document_text

_ASSETS = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
_ICON = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><path d='M1 1h6v1H1zm0 2h6v1H1zm0 2h4v1H1z'/></svg>"

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Workledger API</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>{style}</style>
<style>body {{ margin: 0 }} .swagger-ui .info {{ margin: 24px 0 }}</style>
</head>
<body>
<div id="page"></div>
<script>{script}</script>
<script>
const spec = {document};
// Behind a gateway the API stands under a stage, as this page does.
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
</script>
</body>
</html>
"""


@cache
def page() -> str:
    assets = files(_ASSETS)
    return _PAGE.format(
        # A closing tag inside the document would end the script that holds it.
        document=document_text().replace("</", "<\\/"),
        icon=_ICON.replace("<", "%3C").replace(">", "%3E"),
        script=(assets / "swagger-ui-bundle.min.js").read_text(),
        style=(assets / "swagger-ui.min.css").read_text(),
    )
