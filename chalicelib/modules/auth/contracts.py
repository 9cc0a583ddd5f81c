"""Contracts of signing up, in and out, of profile, password and sessions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.auth.codes import GivenCode
from chalicelib.auth.passwords import GivenPassword, NewPassword
from chalicelib.core.contracts import Body, Contract, Patch, optional
from chalicelib.core.field_types import Email, Instant, Timezone
from chalicelib.models.organizations import Organization, OrganizationName, WeekDay
from chalicelib.models.users import Locale, PersonName, Preferences, Role, Theme, User


class SignUp(Body):
    email: Email
    password: NewPassword
    first_name: Annotated[PersonName, Field(examples=["Anna"])]
    last_name: Annotated[PersonName, Field(examples=["Berg"])]
    organization_name: Annotated[OrganizationName, Field(examples=["Berg Staffing"])]


Token = Annotated[str, Field(description="Sent as `Authorization: Bearer <token>`.", examples=["wl_AZpRwn0-fwCKa0x…"])]


class SignedUp(Contract):
    token: Token
    expires_at: Instant
    user: User
    organization: Organization


class SignIn(Body):
    email: Email
    password: GivenPassword


class SignedIn(Contract):
    token: Token
    expires_at: Instant
    user: User


class ResetPassword(Body):
    email: Email


class ConfirmResetPassword(Body):
    email: Email
    code: GivenCode
    new_password: NewPassword


class AcceptInvitation(Body):
    email: Email
    code: GivenCode
    password: NewPassword


class ConfirmEmail(Body):
    code: GivenCode


class UpdatePassword(Body):
    current_password: GivenPassword
    new_password: Annotated[NewPassword, Field(examples=["amber-lantern-77"])]


class UpdateProfile(Patch):
    first_name: Annotated[PersonName, Field(examples=["Anna"])] = optional()
    last_name: Annotated[PersonName, Field(examples=["Berg-Weber"])] = optional()


class Profile(Contract):
    first_name: Annotated[str, Field(examples=["Anna"])]
    last_name: Annotated[str, Field(examples=["Berg"])]
    full_name: Annotated[str, Field(examples=["Anna Berg"])]
    preferences: Preferences


class CurrentUser(Contract):
    entity_field = "user"

    user: User
    profile: Profile
    organization: Organization
    role: Role
    email_confirmed: Annotated[
        bool,
        Field(description="Whether a code mailed to the address was used; until then 5 invitations can be mailed."),
    ]
    permissions: Annotated[list[str], Field(examples=[["clients:write", "workspace:read"]])]


class UserRole(Contract):
    role: Role


class UserPreferences(Preferences):
    """`version` is the user's: preferences change with it."""

    version: int
    updated_at: Instant


class UpdateNotifications(Patch):
    email: bool = optional()
    weekly_report: bool = optional()


class UpdatePreferences(Patch):
    timezone: Timezone | None = optional()
    week_start: WeekDay | None = optional()
    locale: Locale = optional()
    theme: Theme = optional()
    default_project_id: Annotated[UUID | None, Field(examples=[None])] = optional()
    notifications: UpdateNotifications = optional()
