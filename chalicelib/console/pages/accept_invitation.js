/** Accepting an invitation: the mail's link carries address and code, the new member chooses a password. */

import { post } from "../lib/api.js";
import { Entry } from "../lib/entry.js";
import { Form } from "../lib/form.js";
import { html } from "../lib/html.js";
import { go, link } from "../lib/router.js";
import { begin } from "../lib/session.js";

export default function AcceptInvitation({ query }) {
  const fields = [
    { name: "email", label: "E-mail", type: "email", autocomplete: "username", isRequired: true, isReadOnly: Boolean(query.email) },
    { name: "code", label: "Code", isRequired: true, isReadOnly: Boolean(query.code), hint: query.code ? undefined : "It is in the mail" },
    { name: "password", label: "Password", type: "password", autocomplete: "new-password", isRequired: true, isFirst: true, hint: "At least 8 characters" },
  ];
  async function submit(values, key) {
    await begin(await post("/auth/invitation/accept", values, { key, isPublic: true }));
    go("/", undefined, { isReplacing: true });
  }
  return html`<${Entry} title="Welcome" lead="Choose a password to join your organization on Workledger.">
    <${Form} fields=${fields} initial=${query} submit=${submit} action="Join" />
    <p class="entry-links"><a href=${link("/sign-in")}>Sign in instead</a></p>
  <//>`;
}
