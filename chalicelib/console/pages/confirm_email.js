/** Confirming one's e-mail address with the mailed code; the mail's link asks for a sign-in first where there is none. */

import { post } from "../lib/api.js";
import { Form } from "../lib/form.js";
import { html, useState } from "../lib/html.js";
import { go } from "../lib/router.js";
import { reload, useMe } from "../lib/session.js";
import { toast, toastError } from "../lib/toast.js";
import { Button, Notice, Page } from "../lib/ui.js";

export default function ConfirmEmail({ query }) {
  const [isMailed, setMailed] = useState(false);
  const { user, emailConfirmed } = useMe();
  const { email } = user;
  async function submit({ code }, key) {
    await post("/auth/email/confirm", { code }, { key });
    await reload();
    toast("Your address is confirmed");
    go("/", undefined, { isReplacing: true });
  }
  async function mailAgain() {
    try {
      await post("/auth/email/resend");
      setMailed(true);
    } catch (error) {
      toastError(error);
    }
  }
  if (emailConfirmed) {
    return html`<${Page} title="Confirm your address"><${Notice} tone="good">Your address ${email} is confirmed.<//><//>`;
  }
  const fields = [{ name: "code", label: "Code", isRequired: true, isFirst: true, hint: `It is in the mail to ${email}` }];
  return html`<${Page} title="Confirm your address" subtitle="So that we know that mail reaches you.">
    <section class="card card-form stack">
      ${isMailed && html`<${Notice} tone="good" icon="mail">A new mail is on its way to ${email}.<//>`}
      <${Form} fields=${fields} initial=${query} submit=${submit} action="Confirm">
        <p><${Button} icon="mail" onClick=${mailAgain}>Mail the code again<//></p>
      <//>
    </section>
  <//>`;
}
