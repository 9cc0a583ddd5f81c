"""Contracts of listing, inviting and changing users."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Body, PageQuery, Patch, optional
from chalicelib.core.field_types import Email, Flag
from chalicelib.models.users import PersonName, Role


class GetUsers(PageQuery[Literal["name", "email", "createdAt"]]):
    role: Role | None = None
    is_active: Flag | None = None


class InviteUser(Body):
    email: Annotated[Email, Field(examples=["jonas.weber@example.com"])]
    first_name: Annotated[PersonName, Field(examples=["Jonas"])]
    last_name: Annotated[PersonName, Field(examples=["Weber"])]
    role: Role = Role.COORDINATOR


class UpdateName(Patch):
    first_name: Annotated[PersonName, Field(examples=["Jonas"])] = optional()
    last_name: Annotated[PersonName, Field(examples=["Weber-Kraus"])] = optional()


class ChangeUserRole(Body):
    role: Annotated[Role, Field(examples=["COORDINATOR"])]
