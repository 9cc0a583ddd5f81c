"""What creating, changing and listing workers takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Body, Flag, PageQuery, Patch, optional
from chalicelib.core.phones import FullPhone
from chalicelib.dal.users import PersonName


class CreateWorker(Body):
    first_name: Annotated[PersonName, Field(examples=["Mehmet"])]
    last_name: Annotated[PersonName, Field(examples=["Yılmaz"])]
    phone: FullPhone


class UpdateWorker(Patch):
    first_name: Annotated[PersonName, Field(examples=["Mehmet"])] = optional()
    last_name: Annotated[PersonName, Field(examples=["Yılmaz-Berg"])] = optional()
    phone: FullPhone = optional()


class GetWorkers(PageQuery[Literal["name", "createdAt"]]):
    include_deleted: Flag = False
