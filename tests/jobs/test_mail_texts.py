"""Texts of mails: they name the requester and a contact, and have no link but ours, even with hostile names."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.settings import settings
from chalicelib.jobs import mail_texts
from chalicelib.jobs.mail_texts import EmailText
from chalicelib.jobs.safe_names import MAX_NAME_CHARACTERS, safe_name
from chalicelib.models.audit import Actor
from chalicelib.models.outbox import Template
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support import store
from tests.support.api import Api
from tests.support.factories import PASSWORD, Organization
from tests.support.hypothesis_profile import law
from tests.support.mail_delivery import Post, invite

LINK = "https://app.workledger.example/accept-invitation?email=a%40example.com&code=ABCDE-FGHJK"
CONTACT = "abuse@workledger.example"
NAUGHTY: list[str] = json.loads((Path(__file__).parents[1] / "vectors/naughty-strings/blns.json").read_text())

LINKED = re.compile(r"[a-z][a-z0-9+.-]*:[\w/\\\\]|//\S|\bwww\.\S|\w[.。．｡]\w|\w@\w|[^\s:]\\\\\S", re.IGNORECASE)
"""Matches everything that a mail program may turn into a link."""

HOSTILE = [
    "https://evil.example/x",
    "HTTP://EVIL.EXAMPLE",
    "www.evil.example",
    "evil.com",
    "evil.com/pay?now=1",
    "evil。com",
    "evil．com",
    "//evil.com",
    "\\\\evil.com\\share",
    "mailto:a@evil.com",
    "javascript:alert(1)",
    "tel:0900123",
    "a@evil.com",
    "see http://evil.com/ and www.evil.com!",
    "a\r\nBcc: b@evil.com",
    "a\u2028evil.com",
    "ev\u200bil.\u2060com",
    "xn--80ak6aa92e.com",
    "[x](https://evil.com)",
    "<a href=https://evil.com>x</a>",
    "192.0.2.1",
    "{code} {0} %s",
]


NOTICES = {*Template} - {Template.EMAIL_CONFIRMATION, Template.INVITATION, Template.PASSWORD_RESET}


def _compose(
    name: str = "Ida",
    organization: str = "Berg",
    requested_by: Actor | None = None,
    template: Template = Template.INVITATION,
) -> EmailText:
    return mail_texts.compose(
        template,
        name=name,
        organization=organization,
        requested_by=requested_by,
        link=LINK,
        code="ABCDE-FGHJK",
        week=date(2026, 6, 15),
        abuse_contact=CONTACT,
    )


def _assert_safe(text: EmailText, address: str = "") -> None:
    """Assert that the only link is ours, and that the subject is one line."""
    body = text.body.replace(LINK, "").replace(CONTACT, "").replace(address or LINK, "")
    assert text.body.count(LINK) == 1
    assert not LINKED.search(body), body
    assert not LINKED.search(text.subject), text.subject
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text.subject)
    assert len(text.subject) < MAX_NAME_CHARACTERS + 40


def test_hostile_names_are_no_links() -> None:
    for text in (*HOSTILE, "", *NAUGHTY):
        actor = Actor(id=uuid4(), name=text, email="anna@example.com")
        for template in Template:
            _assert_safe(_compose(text, text, actor, template), "anna@example.com")


@pytest.mark.parametrize("template", sorted(NOTICES))
def test_a_notice_says_how_to_object_and_has_no_code(template: Template) -> None:
    body = _compose(template=template).body
    assert "switch such mails off in your preferences" in body
    assert CONTACT in body
    assert "ABCDE" not in body.replace(LINK, "")


@law(300)
@given(st.text(st.sampled_from("aZ9.:/@\\-。 \n\u200b\u202eä"), max_size=80))
def test_no_stored_text_is_a_link(text: str) -> None:
    _assert_safe(_compose(text, text, Actor(id=uuid4(), name=text, email="anna@example.com")), "anna@example.com")
    assert len(safe_name(text)) <= MAX_NAME_CHARACTERS


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna Berg", "Anna Berg"),
        ("Berg & Co. KG", "Berg & Co. KG"),
        ("Hotel-Rheinblick GmbH", "Hotel-Rheinblick GmbH"),
        ("St. Pauli", "St. Pauli"),
        ("Booking.com B.V.", "Booking. com B. V."),
        ("J.R.R. Tolkien", "J. R. R. Tolkien"),
        ("O'Neil", "O'Neil"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("x" * 255, "x" * 59 + "…"),
        ("\u202e\u3164\n", ""),
    ],
)
def test_ordinary_names_are_readable(name: str, shown: str) -> None:
    assert safe_name(name) == shown


@pytest.mark.parametrize("local", ["www.evil.com/x", "www.evil.com", "evil.com/x", "'//evil"])
def test_an_address_that_looks_like_a_link_is_safe(local: str) -> None:
    _assert_safe(_compose(requested_by=Actor(id=uuid4(), name="Anna", email=f"{local}@x.example")))


def test_invisible_names_are_left_out() -> None:
    text = _compose("\u200b", "\u3164", None)
    assert text.body.startswith("Hello there,\n\nan organization invites you to join an organization on Workledger.")


# -- sent mails ------------------------------------------------------------------------------------------------------


def test_an_invitation_names_its_requester_and_a_contact(organization: Organization, post: Post) -> None:
    owner = organization.owner.user
    email = invite(organization)["email"]
    post.carry()
    (mail,) = post.mailbox.mails(email)
    assert f"{owner.full_name} ({owner.email}) invites you to join" in mail["body"]
    assert "do nothing: the invitation ends by itself" in mail["body"]
    assert f"write to {settings().abuse_contact}." in mail["body"]


def test_a_reset_mail_names_its_reason_and_a_contact(api: Api, organization: Organization, post: Post) -> None:
    email = organization.enrol(Role.MEMBER, PASSWORD).user.email
    api.call("resetPassword", body={"email": email})
    post.carry()
    (mail,) = post.mailbox.mails(email)
    assert "someone, hopefully you, entered your e-mail address" in mail["body"]
    assert "do nothing: your password stays as it is" in mail["body"]
    assert f"write to {settings().abuse_contact}." in mail["body"]


def test_stored_hostile_names_are_mailed_safely(organization: Organization, post: Post, local_stack: Stack) -> None:
    email = invite(organization)["email"]
    table = store.of(local_stack)
    hostile = {"S": "see https://evil.example/x"}
    for (pk, _), item in table.items().items():
        if pk in {f"ORG#{organization.id}#USER", f"ORG#{organization.id}#ORGANIZATION"}:
            fields = item["data"]["M"]
            fields.update(dict.fromkeys(fields.keys() & {"name", "firstName"}, hostile))
            table.put([item])
    post.carry()
    (mail,) = post.mailbox.mails(email)
    assert mail["subject"] == "Your invitation to see https: / / evil. example/ x on Workledger"
    assert "Hello see https: / / evil. example/ x," in mail["body"]


def test_a_mail_without_a_stored_requester_is_sent(organization: Organization, post: Post, local_stack: Stack) -> None:
    email = invite(organization)["email"]
    table = store.of(local_stack)
    (item,) = [item for (pk, _), item in table.items().items() if pk == f"ORG#{organization.id}#MAIL"]
    del item["data"]["M"]["requestedBy"]
    table.put([item])
    post.carry()
    (mail,) = post.mailbox.mails(email)
    name = organization.owner.call("getOrganization").data["name"]
    assert f"{name} invites you to join {name} on Workledger" in mail["body"]


# -- input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["https://evil.example", "x://y", "www.evil.example", "Visit WWW.evil.example", "evil.com/pay", "a.tld/b c"]
)
@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("updateProfile", "firstName"),
        ("updateProfile", "lastName"),
        ("updateOrganization", "name"),
        ("inviteUser", "firstName"),
    ],
)
def test_a_name_with_a_web_address_is_refused(organization: Organization, action: str, field: str, name: str) -> None:
    body = {"email": "a@example.com", "firstName": "Ida", "lastName": "Holm"} if action == "inviteUser" else {}
    answer = organization.owner.call(action, body={**body, field: name})
    assert answer.error["details"]["fieldErrors"] == {field: ["must not have a web address"]}


@pytest.mark.parametrize(
    "name",
    [
        "Booking.com B.V.",
        "St. Pauli",
        "Dr. No",
        "Berg & Co. KG",
        "Hotel-Rheinblick GmbH",
        "Bau e.V./Nord",
        "A/S Nord",
        "T: West",
    ],
)
def test_names_of_companies_are_accepted(organization: Organization, name: str) -> None:
    answer = organization.owner.call("updateOrganization", body={"name": name})
    assert answer.data["name"] == name
