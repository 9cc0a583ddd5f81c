/** Resetting a password: asking for the mail, and with its code choosing a new password. */

import { post } from "../lib/api.js";
import { Entry } from "../lib/entry.js";
import { Form } from "../lib/form.js";
import { html, useState } from "../lib/html.js";
import { go, link } from "../lib/router.js";
import { toast } from "../lib/toast.js";
import { Notice } from "../lib/ui.js";

const EMAIL = { name: "email", label: "E-mail", type: "email", autocomplete: "username", isRequired: true };

export default function ResetPassword({ query }) {
  const [mailedTo, setMailedTo] = useState(null);
  const isCodeKnown = Boolean(query.code);
  return html`<${Entry} title="Reset your password">
    ${isCodeKnown || mailedTo
      ? html`<${NewPassword} key=${query.code} email=${mailedTo || query.email} code=${query.code} />`
      : html`<${AskForMail} email=${query.email} done=${setMailedTo} />`}
    <p class="entry-links"><a href=${link("/sign-in")}>Back to signing in</a></p>
  <//>`;
}

function AskForMail({ email, done }) {
  async function submit(values, key) {
    await post("/auth/reset-password", values, { key, isPublic: true });
    done(values.email);
  }
  return html`<p class="muted">We mail you a code to choose a new one.</p>
    <${Form} fields=${[{ ...EMAIL, isFirst: true }]} initial=${{ email }} submit=${submit} action="Send the mail" />`;
}

function NewPassword({ email, code }) {
  const fields = [
    { ...EMAIL, isReadOnly: Boolean(email) },
    { name: "code", label: "Code", isRequired: true, isReadOnly: Boolean(code), isFirst: !code },
    { name: "newPassword", label: "New password", type: "password", autocomplete: "new-password", isRequired: true, isFirst: Boolean(code), hint: "At least 8 characters" },
  ];
  async function submit(values, key) {
    await post("/auth/reset-password/confirm", values, { key, isPublic: true });
    toast("Your password is changed; all sessions have ended");
    go("/sign-in", { email: values.email }, { isReplacing: true });
  }
  return html`${!code &&
    html`<${Notice} tone="good" icon="mail">If <strong>${email}</strong> has an account, a mail with a code is on its way. It is good for an hour.<//>`}
    <${Form} fields=${fields} initial=${{ email, code }} submit=${submit} action="Change the password" />`;
}
