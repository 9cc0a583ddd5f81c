/** The console: restores the session, then shows the page of the address. */

import { html, render } from "./lib/html.js";
import { ErrorState } from "./lib/ui.js";
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
const retry = () => location.reload();
render(failure ? html`<main class="entry"><${ErrorState} error=${failure} retry=${retry} /></main>` : html`<${App} />`, root);
