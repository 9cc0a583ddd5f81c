"""All that is measured about many assignments, and how they got there."""

from __future__ import annotations

import gc
import json
from pathlib import Path

from benchmarks.staffing import lists, reports
from benchmarks.staffing.load import MANIFEST
from tests.support.api import Api
from tests.support.world import new_organization

_HOW = """
How the data was made: every client, work location, position, worker and assignment is the item that the product's own
`Collection.item` makes; counts and packed months come from the writers' own Tally, Occupation and pack. They were
imported into the engine as an export of a table; the reports' totals are compared with what was put in."""


def run(api: Api, folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    print(_HOW)
    organizations = {
        name: (new_organization(api, id=contents["organization"]), contents) for name, contents in manifest.items()
    }
    # What tests and benchmarks hold beside the product is not for its requests to look through.
    gc.collect()
    gc.freeze()
    reports.run(organizations)
    lists.run(organizations)
