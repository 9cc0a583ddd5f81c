/** Signing up: a new organization, with its owner. */

import { patch, post } from "../lib/api.js";
import { Entry } from "../lib/entry.js";
import { Form } from "../lib/form.js";
import { html } from "../lib/html.js";
import { go, link } from "../lib/router.js";
import { begin, reload } from "../lib/session.js";
import { toastError } from "../lib/toast.js";

const FIELDS = [
  { name: "organizationName", label: "Organization", autocomplete: "organization", isRequired: true, isFirst: true, maxLength: 255 },
  { name: "firstName", label: "First name", autocomplete: "given-name", isRequired: true, isHalf: true, maxLength: 100 },
  { name: "lastName", label: "Last name", autocomplete: "family-name", isRequired: true, isHalf: true, maxLength: 100 },
  { name: "email", label: "E-mail", type: "email", autocomplete: "username", isRequired: true },
  { name: "password", label: "Password", type: "password", autocomplete: "new-password", isRequired: true, hint: "At least 8 characters" },
];

export default function SignUp() {
  async function submit(values, key) {
    await begin(await post("/auth/sign-up", values, { key, isPublic: true }));
    // Days and weeks are those of the place where it was founded, until its settings say otherwise.
    await patch("/organization", { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone }).then(reload, toastError);
    go("/", undefined, { isReplacing: true });
  }
  return html`<${Entry} title="Create your organization" lead="You become its owner, and invite everybody else.">
    <${Form} fields=${FIELDS} submit=${submit} action="Sign up" />
    <p class="entry-links"><a href=${link("/sign-in")}>Sign in instead</a></p>
  <//>`;
}
