"""Everything that has to do with secrets, done once, by a process of its own whose output is then read.

Run as `python -m tests.core.auth_story <file>`; the file gets the secrets and what to look for, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from infra.local import engine, stack
from infra.local.engine import Store

PASSWORDS = ["first-recognisable-pw", "second-recognisable-pw", "third-recognisable-pw", "wrong-recognisable-pw"]
KEYS = ["recognisable-key-of-sign-up", "recognisable-key-of-sign-in", "recognisable-key-of-accept"]
EMAIL, INVITED = "recognisable.owner@example.com", "recognisable.guest@example.com"
FIRST, SECOND, THIRD, WRONG = PASSWORDS


def main(report: Path) -> None:
    with engine.running(Store.MOTO) as started:
        grounds = stack.build(started, "workledger-story")
        os.environ.update(grounds.environment() | {"LOG_LEVEL": "DEBUG", "POWERTOOLS_METRICS_DISABLED": "false"})
        secrets = _story(grounds)
    report.write_text(json.dumps(secrets))


def _story(grounds: stack.Stack) -> dict[str, Any]:
    from tests.support import client_hooks
    from tests.support.api import Answer, Api
    from tests.support.mail_delivery import Post, other_code

    api, post, answers = Api(), Post(grounds), []
    tokens: list[str] = []

    def call(action: str, token: str | None = None, **parts: Any) -> Answer:
        answer = api.call(action, token, **parts)
        answers.append({"id": answer.headers["X-Request-Id"], "action": action, "status": answer.status})
        if answer.status < 300 and "token" in answer.data:
            tokens.append(answer.data["token"])
        return answer

    names = {"firstName": "Anna", "lastName": "Berg", "organizationName": "Berg"}
    sign_up = {"email": EMAIL, "password": FIRST, **names}
    owner, _ = (call("signUp", body=sign_up, key=KEYS[0]).data["token"] for _ in range(2))
    call("signUp", body={**sign_up, "password": "short-pw"})
    for password in (FIRST, FIRST, WRONG):
        call("signIn", body={"email": EMAIL, "password": password}, key=KEYS[1])
    call("signIn", body={"email": EMAIL, "password": [FIRST]})
    call("getOrganization", tokens[-1][:-3] + "AA=")

    call("inviteUser", owner, body={"email": INVITED, "firstName": "Ida", "lastName": "Holm", "role": "MEMBER"})
    invitation = post.code(INVITED)
    call("acceptInvitation", body={"email": INVITED, "code": other_code(invitation), "password": FIRST})
    call("acceptInvitation", body={"email": INVITED, "code": invitation, "password": FIRST}, key=KEYS[2])
    call("resetPassword", body={"email": EMAIL})
    reset = post.code(EMAIL)
    call("confirmResetPassword", body={"email": EMAIL, "code": reset, "newPassword": SECOND})
    token = call("signIn", body={"email": EMAIL, "password": SECOND}).data["token"]
    call("updatePassword", token, body={"currentPassword": WRONG, "newPassword": THIRD})
    call("updatePassword", token, body={"currentPassword": SECOND, "newPassword": THIRD})

    # Failures log no more than successes: a lost store, a bug, a mail that SES refuses.
    with client_hooks.broken(client_hooks.Fault(1, "request lost")):
        call("signIn", body={"email": EMAIL, "password": THIRD})
    client_hooks.CLIENT.meta.events.register("before-call.dynamodb.TransactWriteItems", _fail)
    call("signIn", body={"email": EMAIL, "password": THIRD}, key=KEYS[1] + "-2")
    client_hooks.CLIENT.meta.events.unregister("before-call.dynamodb.TransactWriteItems", _fail)
    grounds.engine.client("sesv2").delete_email_identity(EmailIdentity=stack.SENDER)
    call("resetPassword", body={"email": INVITED})
    post.sweep()
    me = call("getCurrentUser", token).data
    mails = post.mailbox.mails()
    codes = [invitation, reset, other_code(invitation)]
    return {
        "secrets": [*PASSWORDS, *KEYS, *tokens, *codes, *(code.replace("-", "") for code in codes)],
        "mail texts": [line for mail in mails for line in mail["body"].splitlines() if len(line) > 20],
        "answers": answers,
        "organization": me["organization"]["id"],
        "user": me["user"]["id"],
    }


def _fail(**_: Any) -> None:
    raise ZeroDivisionError("a bug")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
