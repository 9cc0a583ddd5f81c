/** Signing in; leads on to the page that was asked for. */

import { post } from "../lib/api.js";
import { Entry } from "../lib/entry.js";
import { Form } from "../lib/form.js";
import { html } from "../lib/html.js";
import { go, link } from "../lib/router.js";
import { begin, endReason } from "../lib/session.js";
import { Notice } from "../lib/ui.js";

const FIELDS = [
  { name: "email", label: "E-mail", type: "email", autocomplete: "username", isRequired: true, isFirst: true },
  { name: "password", label: "Password", type: "password", autocomplete: "current-password", isRequired: true },
];

export default function SignIn({ query }) {
  async function submit(values, key) {
    await begin(await post("/auth/sign-in", values, { key, isPublic: true }));
    go(query.next || "/", undefined, { isReplacing: true });
  }
  const hasExpired = endReason.get() === "expired";
  return html`<${Entry} title="Sign in">
    ${hasExpired && html`<${Notice} tone="warning">Your session has ended. Sign in again to go on.<//>`}
    <${Form} fields=${FIELDS} submit=${submit} action="Sign in" initial=${{ email: query.email }} />
    <p class="entry-links">
      <a href=${link("/reset-password")}>Forgot your password?</a>
      <a href=${link("/sign-up")}>Create an organization</a>
    </p>
  <//>`;
}
