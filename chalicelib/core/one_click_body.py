"""A request body that mail programs may send as the form of RFC 8058, its fields being in the query."""

from __future__ import annotations

from chalicelib.core.contracts import Body

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FIELD = b"List-Unsubscribe=One-Click"
PART = b'name="List-Unsubscribe"'


class OneClickBody(Body):
    """In JSON its fields are in the body, as everywhere."""
