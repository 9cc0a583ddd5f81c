"""Sign-up, sign-in, passwords, sessions, invitations and their codes, users and preferences.

Each user is played by one client, who thus knows which sessions are open and which password is valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.auth.tokens import Token
from tests.prove.client import Account, Client

_MAX_RESETS = 2
_MAX_WRONG_PASSWORDS = 2
_MAX_SIGN_UPS = 2
_WEEK_DAYS = ("MONDAY", "SATURDAY", "SUNDAY")


@dataclass
class CodeMail:
    """A mail with a code that a client expects."""

    account: Account
    purpose: str
    mails_before: int
    """Number of mails to the address before the request."""
    used: str | None = None
    """A code that was refused because a later one existed."""


def _password(client: Client) -> str:
    return f"quiet-harbour-{client.rng.getrandbits(40):010x}"


def _other(client: Client) -> Account | None:
    """Return a user whom the client has invited."""
    invited = [account for account in client.accounts[1:] if account.organization == client.account.organization]
    return client.rng.choice(invited) if invited else None


def _anyone(client: Client) -> Account:
    """Return one of its users who can sign in."""
    return client.rng.choice([account for account in client.accounts if account.can_sign_in])


def _signed_in(client: Client) -> Account:
    return client.rng.choice([account for account in client.accounts if account.can_sign_in and account.tokens])


# -- signing up, in and out ------------------------------------------------------------------------------------------


def sign_up(client: Client) -> None:
    if sum(account.organization != client.account.organization for account in client.accounts) >= _MAX_SIGN_UPS:
        sign_in(client)
        return
    email, password = f"{client.name}-founder-{client.requests}-{client.world.seed}@example.com", _password(client)
    names = {"firstName": "Anna", "lastName": "Berg", "organizationName": client.unique("Organization")}
    body = {"email": email, "password": password, **names}
    data = client.write("signUp", ("organization", None), body=body)
    if data is not None:
        organization, user = data["organization"]["id"], data["user"]["id"]
        client.accounts.append(Account(organization, user, email, password, tokens=[data["token"]]))


def sign_in(client: Client) -> None:
    account = _anyone(client)
    body = {"email": account.email, "password": account.password}
    if client.chance(0.15) and account.wrong_passwords < _MAX_WRONG_PASSWORDS:
        account.wrong_passwords += 1
        client.is_refused("signIn", "INVALID_CREDENTIALS", by=account, body={**body, "password": "wrong-harbour-17"})
        return
    data = client.write("signIn", ("session", None), by=account, body=body)
    if data is not None:
        account.tokens.append(data["token"])


def sign_out(client: Client) -> None:
    """End a second session."""
    account = _signed_in(client)
    if len(account.tokens) < 2:
        sign_in(client)
        return
    token = account.tokens[-1]
    parsed = Token.parse(token)
    assert parsed is not None
    about, visitor = ("session", str(parsed.session)), _through(account, token)
    if client.chance(0.5):
        data = client.write("signOut", about, by=visitor)
    else:
        data = client.write("revokeSession", about, by=account, path={"id": str(parsed.session)})
    if data is not None:
        account.tokens.remove(token)


def _through(account: Account, token: str) -> Account:
    """Return the user in one session."""
    return Account(account.organization, account.user, account.email, account.password, tokens=[token])


def revoke_other_sessions(client: Client) -> None:
    account = _signed_in(client)
    if client.write("revokeOtherSessions", ("user", account.user), by=account) is not None:
        del account.tokens[1:]


def update_password(client: Client) -> None:
    """Change the password of a user without a pending code, which would become invalid."""
    account = _signed_in(client)
    if any(mail.account is account for mail in client.pending_mails):
        update_preferences(client)
        return
    password = _password(client)
    body = {"currentPassword": account.password, "newPassword": password}
    if client.write("updatePassword", ("user", account.user), by=account, body=body) is not None:
        account.password = password
        del account.tokens[1:]


# -- codes -----------------------------------------------------------------------------------------------------------


def reset_password(client: Client) -> None:
    account = _anyone(client)
    waiting = {id(mail.account) for mail in client.pending_mails}
    if account.resets >= _MAX_RESETS or id(account) in waiting:
        update_password(client)
        return
    account.resets += 1
    mails = client.world.mails(account.email)
    if client.write("resetPassword", ("user", account.user), by=account, body={"email": account.email}) is not None:
        client.pending_mails.append(CodeMail(account, "reset", mails))


def invite_user(client: Client) -> None:
    email = f"{client.name}-invited-{client.requests}-{client.world.seed}@example.com"
    role = client.rng.choice(("ADMIN", "COORDINATOR", "MEMBER", "VIEWER"))
    body = {"email": email, "firstName": "Ida", "lastName": "Holm", "role": role}
    data = client.write("inviteUser", ("user", None), body=body)
    if data is None:
        return
    account = Account(client.account.organization, data["id"], email, "", role=role, has_accepted=False)
    client.accounts.append(account)
    client.pending_mails.append(CodeMail(account, "invitation", 0))


def resend_invitation(client: Client) -> None:
    """Resend an invitation. Mails are limited by addressee and time, so it may be refused."""
    pending_mails = [mail for mail in client.pending_mails if mail.purpose == "invitation" and mail.account.is_active]
    if not pending_mails:
        invite_user(client)
        return
    account = client.rng.choice(pending_mails).account
    allowed = frozenset({"RATE_LIMITED"})
    client.write("resendInvitation", ("user", account.user), path={"userId": account.user}, allowed=allowed)


def use_mailed_codes(client: Client) -> None:
    """Use the codes that have arrived, or run another operation."""
    arrived = [mail for mail in client.pending_mails if client.world.mails(mail.account.email) > mail.mails_before]
    if not arrived:
        update_preferences(client)
    for mail in arrived:
        use_code(client, mail)


def use_code(client: Client, mail: CodeMail, *, is_last: bool = False) -> None:
    """Use the newest code. `is_last`: no mail is pending, so that code is valid."""
    account = mail.account
    if not account.is_active:
        return
    code = client.world.code(account.email)
    if code is None or (code == mail.used and not is_last):
        if is_last:
            client.world.report("mail", f"no code was mailed to {account.email}", entity=account.user)
        return
    # A mail that is sent twice has a later code, which makes the earlier one invalid before it arrives.
    allowed = frozenset() if is_last else frozenset({"VALIDATION_ERROR"})
    password = _password(client)
    if mail.purpose == "reset":
        action, body = "confirmResetPassword", {"email": account.email, "code": code, "newPassword": password}
    else:
        action, body = "acceptInvitation", {"email": account.email, "code": code, "password": password}
    mail.used = code
    data = client.write(action, ("user", account.user), by=account, body=body, allowed=allowed)
    if data is None:
        return
    client.pending_mails.remove(mail)
    account.password = password
    if mail.purpose == "reset":
        account.tokens.clear()
        signed_in = client.write("signIn", ("session", None), by=account, body=_credentials(account))
        data = signed_in or {}
    account.has_accepted = True
    account.tokens += [data["token"]] if "token" in data else []


def _credentials(account: Account) -> dict[str, str]:
    return {"email": account.email, "password": account.password}


# -- users -----------------------------------------------------------------------------------------------------------


def change_role(client: Client) -> None:
    account = _other(client)
    if account is None:
        invite_user(client)
        return
    role = client.rng.choice(("ADMIN", "COORDINATOR", "MEMBER", "VIEWER", "OWNER"))
    path, body = {"userId": account.user}, {"role": role}
    if client.write("changeUserRole", ("user", account.user), path=path, body=body) is not None:
        account.role = role


def toggle_access(client: Client) -> None:
    """Deactivate a user whom it has invited, or reactivate the user."""
    account = _other(client)
    if account is None:
        invite_user(client)
        return
    action = "deactivateUser" if account.is_active else "reactivateUser"
    if client.write(action, ("user", account.user), path={"userId": account.user}) is None:
        return
    account.is_active = not account.is_active
    account.tokens.clear()
    if account.is_active and account.has_accepted:
        data = client.write("signIn", ("session", None), by=account, body=_credentials(account))
        account.tokens += [data["token"]] if data else []


def update_preferences(client: Client) -> None:
    account = _signed_in(client)
    if client.chance(0.5):
        body: dict[str, Any] = {"theme": client.rng.choice(("LIGHT", "DARK", "SYSTEM"))}
        client.write("updatePreferences", ("user", account.user), by=account, body=body)
    else:
        body = {"lastName": client.unique("Name")}
        client.write("updateProfile", ("user", account.user), by=account, body=body)


def update_organization(client: Client) -> None:
    """Change the common organization, or one that the client has founded; there also the time zone."""
    founded = [account for account in client.accounts if account.organization != client.account.organization]
    body: dict[str, Any] = {"weekStart": client.rng.choice(_WEEK_DAYS)}
    account = client.account
    if founded and client.chance(0.6):
        account = founded[0]
        body |= {"name": client.unique("Organization"), "timezone": client.rng.choice(("UTC", "Europe/Berlin"))}
    client.write("updateOrganization", ("organization", account.organization), by=account, body=body)
