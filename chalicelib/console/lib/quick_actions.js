/** Running quick actions: a link, a call, or a form from the action's JSON Schema. */

import { post } from "./api.js";
import { ask } from "./dialog.js";
import { fieldsOf, Form } from "./form.js";
import { html, useState } from "./html.js";
import { hasIcon, Icon } from "./icons.js";
import { find } from "./pages.js";
import { link } from "./router.js";
import { toast, toastError } from "./toast.js";

const ICONS = { pencil: "edit", "calendar-plus": "calendar", "user-plus": "user", "user-check": "user", building: "building" };

const iconOf = ({ icon, actionType }) => (hasIcon(icon) ? icon : ICONS[icon] || (actionType === "NAVIGATION" ? "chevron-right" : "play"));

const isHere = (url) => url.startsWith("/") && !url.startsWith("//");

/** False for a link to a page that this console does not have, or that is not for the caller. */
export const isOffered = ({ actionType, targetUrl }) =>
  actionType !== "NAVIGATION" || !isHere(targetUrl) || find(targetUrl.split("?")[0]) !== null;

const run = (action, payload, key) => post(`/quick-actions/${action.id}/execute`, payload === undefined ? {} : { payload }, { key });

/** A quick action as a button. */
export function QuickAction({ action, done }) {
  const [isBusy, setBusy] = useState(false);
  const { actionType, targetUrl, name, description, color } = action;
  const face = html`<span class=${`quick-icon quick-${color}`}><${Icon} name=${iconOf(action)} /></span>
    <span class="quick-text"><span class="quick-name">${name}</span>${description && html`<span class="muted">${description}</span>`}</span>`;
  if (actionType === "NAVIGATION") {
    return isHere(targetUrl)
      ? html`<a class="quick" href=${link(targetUrl)}>${face}</a>`
      : html`<a class="quick" href=${/^https?:/.test(targetUrl) ? targetUrl : "#/"} target="_blank" rel="noopener noreferrer">${face}</a>`;
  }
  async function start() {
    if (actionType === "FORM") return ask(name, (close) => html`<${ActionForm} ...${{ action, close, done }} />`);
    setBusy(true);
    try {
      await run(action);
      toast(`${name}: done`);
      done?.();
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
    return undefined;
  }
  return html`<button type="button" class="quick" disabled=${isBusy} aria-busy=${isBusy} onClick=${start}>${face}</button>`;
}

function ActionForm({ action, close, done }) {
  const fields = fieldsOf(action.formConfig);
  async function submit(values, key) {
    try {
      await run(action, values, key);
    } catch (error) {
      // The payload's fields are those of the form.
      if (error.details?.fieldErrors) error.details = { fieldErrors: withoutPrefix(error.details.fieldErrors) };
      throw error;
    }
    close();
    toast(`${action.name}: done`);
    done?.();
  }
  return html`${action.description && html`<p class="muted form-lead">${action.description}</p>`}
    <${Form} fields=${fields} submit=${submit} cancel=${() => close()} action="Send" />`;
}

const withoutPrefix = (errors) =>
  Object.fromEntries(Object.entries(errors).map(([path, messages]) => [path.replace(/^payload\./, ""), messages]));

