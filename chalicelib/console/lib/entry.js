/** The frame of pages for people who are not signed in. */

import { html, useEffect, useRef } from "./html.js";

export function Entry({ title, lead, children }) {
  useEffect(() => {
    document.title = `${title} · Workledger`;
  }, [title]);
  const box = useRef(null);
  // Browsers heed `autofocus` once a document. Without such a field, the heading takes the focus.
  useEffect(() => (box.current.querySelector("[autofocus]") ?? box.current.querySelector("h1")).focus(), []);
  return html`<div class="entry-box" ref=${box}>
    <p class="brand"><svg class="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M8 10h16v3H8zm0 6h16v3H8zm0 6h9v3H8z" /></svg><span>Workledger</span></p>
    <h1 tabindex="-1">${title}</h1>
    ${lead && html`<p class="muted">${lead}</p>`}
    ${children}
  </div>`;
}
