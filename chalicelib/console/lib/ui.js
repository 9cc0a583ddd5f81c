/** Small pieces that pages are made of: headings, buttons, badges, menus, and the states of a page without data. */

import { messageOf } from "./api.js";
import { classes, html, useEffect, useId, useLayoutEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";

/** A page: its heading with actions on the right, and its content. The heading takes the focus when the page opens. */
export function Page({ title, subtitle, actions, children, isWide = false }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${title} · Workledger`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return html`<div class=${classes("page", isWide && "page-wide")}>
    <header class="page-head">
      <div>
        <h1 ref=${heading} tabindex="-1">${title}</h1>
        ${subtitle && html`<p class="muted">${subtitle}</p>`}
      </div>
      ${actions && html`<div class="page-actions">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}

/** A button. `kind`: "primary", "danger", "quiet" or none; `busy` while its work goes on. */
export function Button({ kind, icon, busy = false, label, children, class: extra, ...rest }) {
  const isIconOnly = icon && !children;
  return html`<button
    type="button"
    class=${classes("button", kind && `button-${kind}`, isIconOnly && "button-icon", extra)}
    aria-busy=${busy}
    disabled=${busy || rest.disabled}
    aria-label=${label}
    title=${isIconOnly ? label : undefined}
    ...${rest}
  >
    ${busy ? html`<span class="spinner" />` : icon && html`<${Icon} name=${icon} />`}${children && html`<span>${children}</span>`}
  </button>`;
}

/** A short state. `tone`: "good", "warning", "bad", "accent" or none. */
export function Badge({ tone, children }) {
  return html`<span class=${classes("badge", tone && `badge-${tone}`)}>${children}</span>`;
}

/** A page or a tile without content: what it is for, and what to do about it. */
export function EmptyState({ icon = "folder", title, children, action }) {
  return html`<div class="empty">
    <span class="empty-icon"><${Icon} name=${icon} size=${26} /></span>
    <p class="empty-title">${title}</p>
    ${children && html`<p class="muted">${children}</p>`} ${action}
  </div>`;
}

/** What went wrong, and another attempt. */
export function ErrorState({ error, retry }) {
  return html`<div class="empty" role="alert">
    <span class="empty-icon empty-bad"><${Icon} name="alert" size=${26} /></span>
    <p class="empty-title">${messageOf(error)}</p>
    ${retry && html`<${Button} icon="refresh" onClick=${retry}>Try again<//>`}
  </div>`;
}

/** Placeholder lines while something loads. */
export function Skeleton({ lines = 4 }) {
  return html`<div class="skeleton" role="status" aria-label="Loading">
    ${Array.from({ length: lines }, (_, index) => html`<span key=${index} />`)}
  </div>`;
}

/** Show a resource (see resource.js): its skeleton, its error, or `children(data)`. */
export function Loaded({ resource, lines, children }) {
  if (resource.data !== undefined) return children(resource.data);
  if (resource.error) return html`<${ErrorState} error=${resource.error} retry=${resource.reload} />`;
  return html`<${Skeleton} lines=${lines} />`;
}

/** A message in a page. `tone` as of a badge. */
export function Notice({ tone, icon, children }) {
  return html`<div class=${classes("notice", tone && `notice-${tone}`)} role=${tone === "bad" ? "alert" : "status"}>
    <${Icon} name=${icon || (tone === "good" ? "check" : "alert")} />
    <div>${children}</div>
  </div>`;
}

export function Avatar({ name }) {
  const letters = name
    .split(/\s+/)
    .map((word) => word.charAt(0))
    .filter(Boolean);
  return html`<span class="avatar" aria-hidden="true">${letters[0]}${letters.length > 1 && letters.at(-1)}</span>`;
}

/** A button that opens a list of actions: `items` are `{label, icon, onClick, isDanger}`, `{href}` or `"-"`. */
export function Menu({ label, trigger, icon = "dots", items, header, align = "end" }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(null);
  const id = useId();
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const list = root.current.querySelector(".menu-list");
    const place = () => placeBelow(list, root.current, align);
    const close = (event) => root.current?.contains(event.target) || setOpen(false);
    place();
    list.querySelector("[role=menuitem]")?.focus({ preventScroll: true });
    addEventListener("pointerdown", close);
    addEventListener("scroll", place, { capture: true, passive: true });
    return () => {
      removeEventListener("pointerdown", close);
      removeEventListener("scroll", place, { capture: true });
    };
  }, [isOpen]);

  function handleKey(event) {
    const entries = [...root.current.querySelectorAll("[role=menuitem]")];
    const at = entries.indexOf(document.activeElement);
    const move = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (isOpen && move !== undefined) {
      event.preventDefault();
      entries.at(move % entries.length)?.focus();
    } else if (event.key === "Escape" && isOpen) {
      setOpen(false);
      root.current.querySelector("button").focus();
    } else if (event.key === "Tab") {
      setOpen(false);
    }
  }

  const toggle = () => setOpen(!isOpen);
  return html`<div class="menu" ref=${root} onKeyDown=${handleKey}>
    <button
      type="button"
      class=${trigger ? "menu-trigger" : "button button-quiet button-icon"}
      aria-haspopup="menu"
      aria-expanded=${isOpen}
      aria-controls=${isOpen ? id : undefined}
      title=${trigger ? undefined : label}
      onClick=${toggle}
    >
      ${trigger || html`<${Icon} name=${icon} />`}<span class="visually-hidden">${label}</span>
    </button>
    ${isOpen &&
    html`<div class="menu-list">
      ${header}
      <div role="menu" id=${id} aria-label=${label}>
        ${items
          .filter(Boolean)
          .map((item) => (item === "-" ? html`<hr />` : html`<${MenuItem} ...${item} close=${() => setOpen(false)} />`))}
      </div>
    </div>`}
  </div>`;
}

/** Place a list at its trigger, above it where there is no room below; boxes that scroll do not cut it off. */
function placeBelow(list, trigger, align) {
  const at = trigger.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const left = align === "end" ? at.right - width : at.left;
  const isAbove = at.bottom + height + 12 > innerHeight && at.top > height + 12;
  list.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  list.style.top = `${isAbove ? at.top - height - 6 : at.bottom + 6}px`;
}

function MenuItem({ label, icon, href, onClick, isDanger, isChecked, close }) {
  const content = html`${icon && html`<${Icon} name=${icon} />`}<span>${label}</span>${isChecked &&
    html`<span class="menu-check"><${Icon} name="check" size=${16} /></span>`}`;
  const chosen = () => {
    close();
    onClick?.();
  };
  const style = classes("menu-item", isDanger && "menu-danger");
  return href
    ? html`<a role="menuitem" class=${style} href=${href} onClick=${chosen}>${content}</a>`
    : html`<button type="button" role="menuitem" class=${style} onClick=${chosen}>${content}</button>`;
}
