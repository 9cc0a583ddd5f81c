/** The console: restores the session, then shows the page of the address. */

import { html, render } from "./lib/html.js";
import { find } from "./lib/pages.js";
import { route } from "./lib/router.js";
import { ErrorState } from "./lib/ui.js";
import { restore } from "./lib/session.js";
import { App } from "./lib/shell.js";

const root = document.getElementById("app");
let failure = null;
// Beside the question who is signed in. The page itself says so if its module is not there.
find(route.get().path)?.page.load().catch(() => undefined);
try {
  await restore();
} catch (error) {
  // An ended session leads to the sign-in page; anything else would leave people signed in without a page.
  if (error.status !== 401) failure = error;
}
const retry = () => location.reload();
render(failure ? html`<main class="entry"><${ErrorState} error=${failure} retry=${retry} /></main>` : html`<${App} />`, root);
