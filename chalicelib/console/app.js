/** The console: restores the session, then shows the page of the address. */

import { html, render } from "./lib/html.js";
import { Notice } from "./lib/ui.js";
import { messageOf } from "./lib/api.js";
import { restore } from "./lib/session.js";
import { App } from "./lib/shell.js";

const root = document.getElementById("app");
let failure = null;
try {
  await restore();
} catch (error) {
  // An ended session leads to the sign-in page; anything else would leave people signed in without a page.
  if (error.status !== 401) failure = error;
}
render(failure ? html`<main class="entry"><${Notice} tone="bad">${messageOf(failure)}<//></main>` : html`<${App} />`, root);
