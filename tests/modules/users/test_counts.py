"""Changes of users in any order: the organization's counts equal a recount."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth import codes
from chalicelib.dal import table
from chalicelib.models import organizations
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from chalicelib.models.organizations import ACTIVE_OWNER_COUNT
from tests.support.api import Api
from tests.support.factories import PASSWORD, Organization, new_organization
from tests.support.hypothesis_profile import law
from tests.support.mail_delivery import invite

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["invite", "accept", "role", "role", "deactivate", "deactivate", "reactivate", "resend"]),
        st.integers(0, 3),
        st.sampled_from(["OWNER", "OWNER", "ADMIN", "MEMBER"]),
    ),
    max_size=10,
)


def _take(organization: Organization, users: list[dict[str, str]], step: str, which: int, role: str) -> None:
    if step == "invite" or not users:
        users.append(invite(organization, role=role))
        return
    user = users[which % len(users)]
    path = {"userId": user["id"]}
    match step:
        case "role":
            organization.owner.call("changeUserRole", path=path, body={"role": role})
        case "deactivate" | "reactivate":
            organization.owner.call(f"{step}User", path=path)
        case "resend":
            organization.owner.call("resendInvitation", path=path)
        case "accept":
            _accept(organization, user["email"])


def _accept(organization: Organization, email: str) -> None:
    credential = credentials.get(email)
    code = credential and codes.issue(credential, CodePurpose.INVITATION)
    if code:
        body = {"email": email, "code": code, "password": PASSWORD}
        organization.api.call("acceptInvitation", body=body)


@law(12)
@given(steps=STEPS)
def test_counts_are_true_after_every_sequence(api: Api, steps: list[tuple[str, int, str]]) -> None:
    # Given users who were invited, changed and deactivated in any order
    organization = new_organization(api)
    users: list[dict[str, str]] = []
    for step, which, role in steps:
        _take(organization, users, step, which, role)
    # When the organization and all of them are read
    rows = organization.owner.call("getUsers", query={"pageSize": 100}).data["data"]
    shown = organization.owner.call("getOrganization").data
    # Then its counts are theirs
    assert shown["userCount"] == len(rows) == len(users) + 1
    assert shown["activeUserCount"] == sum(row["isActive"] for row in rows)
    item = table.get(organizations.ORGANIZATIONS.key(organization.id, organization.id))
    assert item is not None
    assert item.children is not None
    owners = sum(row["status"] == "ACTIVE" and row["role"] == "OWNER" for row in rows)
    assert item.children[ACTIVE_OWNER_COUNT] == owners >= 1


def test_a_refused_invitation_counts_nobody(api: Api) -> None:
    organization = new_organization(api)
    body = {"email": organization.owner.user.email, "firstName": "I", "lastName": "H"}
    assert organization.owner.call("inviteUser", body=body).code == "DUPLICATE_ENTRY"
    assert organization.owner.call("getOrganization").data["userCount"] == 1
