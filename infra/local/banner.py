"""The text that `make serve` prints once it is ready."""

from __future__ import annotations

from infra.local import demo

_TEXT = """
Workledger is ready after {seconds:.1f} s (store: {note})

  Console   {url}/console
  API       {url}/api/v1
  Docs      {url}/docs
  Mailbox   {url}{mailbox}

Users of "{organization}", password {password}
{people}

"{lender_organization}" lends to it, same password
  {lender:<26}OWNER

First calls
  curl -s {url}/api/v1/auth/sign-in -H 'Content-Type: application/json' \\
    -d '{{"email":"{owner}","password":"{password}"}}'
{signed_in_call}
Ctrl-C stops it.{seeding}
"""
_SIGNED_IN_CALL = """  curl -s '{url}/api/v1/clients?pageSize=3' -H 'Authorization: Bearer {token}'
"""
_STATUS_NOTES = {
    "ACTIVE": "",
    "DEACTIVATED": "deactivated: sign-in is refused",
    "INVITED": "invited: the code is in the mailbox, unless another run mailed it within five minutes",
}


def text(url: str, mailbox: str, token: str | None, note: str, seconds: float) -> str:
    people = [
        f"  {person.email:<26}{person.role:<13}{_STATUS_NOTES[person.status]}".rstrip()
        for person in (demo.OWNER, *demo.TEAM)
    ]
    return _TEXT.format(
        url=url,
        mailbox=mailbox,
        note=note,
        seconds=seconds,
        organization=demo.ORGANIZATION,
        password=demo.PASSWORD,
        people="\n".join(people),
        owner=demo.OWNER.email,
        lender_organization=demo.LENDER_ORGANIZATION,
        lender=demo.LENDER.email,
        seeding=" The demo organization is still being filled." if token else "",
        signed_in_call=_SIGNED_IN_CALL.format(url=url, token=token) if token else "",
    )
