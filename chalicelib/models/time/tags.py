"""Tags of time sessions: spelled as first used in the organization, and counted on each user's account."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.models.time import accounts
from chalicelib.models.time import keys as time_keys

MAX_SHOWN = 1000
"""Tags in one answer."""


class TagUse(Contract):
    tag: Annotated[str, Field(examples=["Umzug"])]
    sessions: Annotated[int, Field(description="Time sessions that have it.", examples=[12])]


def uses(organization: OrganizationId) -> list[TagUse]:
    """Return the tags that sessions have, by name, with how many have them; of very many those used most."""
    counts: Counter[str] = Counter()
    for account in accounts.read_all(organization):
        counts.update(account.tags)
    spellings = {
        row["sk"]["S"]: table.plain(row, "data")["tag"] for row in table.query_all(time_keys.time_tags(organization))
    }
    used = [TagUse(tag=spellings.get(tag, tag), sessions=count) for tag, count in counts.most_common(MAX_SHOWN)]
    return sorted(used, key=lambda use: use.tag.casefold())
