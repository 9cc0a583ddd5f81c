/** The frame around all pages: navigation, header with organization and user menu, and the page of the address. */

import { get, messageOf, patch, queryText } from "./api.js";
import { Questions } from "./dialog.js";
import { words } from "./format.js";
import { classes, html, useEffect, useErrorBoundary, useState } from "./html.js";
import { Icon } from "./icons.js";
import { find, navigation } from "./pages.js";
import { useInterval, useResource } from "./resource.js";
import { go, link, useRoute } from "./router.js";
import { endReason, may, reload, showTheme, signOut, useMe } from "./session.js";
import { store, useStore } from "./store.js";
import { TimerTool } from "./timer.js";
import { toast, toastError, Toasts } from "./toast.js";
import { Avatar, Badge, Button, EmptyState, ErrorState, Menu, Skeleton } from "./ui.js";

const UNREAD_SECONDS = 60;

/** Number of unread activities as of the last look; pages that change it call `unread.set`. */
export const unread = store(null);

export function App() {
  const me = useMe();
  const { path, query } = useRoute();
  const target = find(path);
  const isPublic = target?.page.isPublic ?? false;
  const leadsAway = me === null && !isPublic;
  useEffect(() => {
    if (!leadsAway) return;
    const next = path === "/" || endReason.get() === "signed-out" ? undefined : path + queryText(query);
    go("/sign-in", { next }, { isReplacing: true });
  }, [leadsAway, path]);
  if (leadsAway) return null;
  const page = html`<${CurrentPage} key=${`${path} ${me?.user.id}`} target=${target} query=${query} />`;
  return html`${isPublic ? html`<main class="entry">${page}</main>` : html`<${Frame} me=${me} path=${path}>${page}<//>`}
    <${Questions} /><${Toasts} />`;
}

function Frame({ me, path, children }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  const skip = (event) => {
    event.preventDefault();
    document.getElementById("content").focus();
  };
  return html`<a class="skip" href="#content" onClick=${skip}>Skip to the content</a>
    <div class=${classes("frame", isOpen && "is-open")} onKeyDown=${(event) => event.key === "Escape" && setOpen(false)}>
      <aside class="side">
        <a class="brand" href=${link("/")}><${Logo} /><span>Workledger</span></a>
        <${Navigation} path=${path} />
      </aside>
      ${isOpen && html`<div class="scrim" onClick=${() => setOpen(false)} />`}
      <header class="top">
        <button
          type="button"
          class="button button-quiet button-icon top-menu"
          aria-label="Navigation"
          aria-expanded=${isOpen}
          onClick=${() => setOpen(!isOpen)}
        >
          <${Icon} name=${isOpen ? "x" : "menu"} />
        </button>
        <span class="top-organization">${me.organization.name}</span>
        <div class="top-end">
          ${may("time:track") && html`<${TimerTool} />`}
          <${UnreadLink} />
          <${UserMenu} me=${me} />
        </div>
      </header>
      <main class="content" id="content" tabindex="-1">
        ${me.emailConfirmed === false &&
        path !== "/confirm-email" &&
        html`<p class="notice banner">
          <${Icon} name="mail" /><span>Please <a href=${link("/confirm-email")}>confirm your address</a>: the code is in the mail to ${me.user.email}.</span>
        </p>`}
        ${children}
      </main>
    </div>`;
}

const Logo = () => html`<svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
  <rect width="32" height="32" rx="8" />
  <path d="M8 10h16v3H8zm0 6h16v3H8zm0 6h9v3H8z" />
</svg>`;

function Navigation({ path }) {
  const here = (page) => (page.path === "/" ? path === "/" || path === page.alias : path === page.path || path.startsWith(`${page.path}/`));
  return html`<nav aria-label="Main">
    ${navigation().map(
      ({ group, pages }) => html`<div class="nav-group" key=${group}>
        <p class="nav-title">${group}</p>
        ${pages.map(
          (page) => html`<a class="nav-link" key=${page.path} href=${link(page.path)} aria-current=${here(page) ? "page" : undefined}>
            <${Icon} name=${page.icon} /><span>${page.title}</span>
          </a>`,
        )}
      </div>`,
    )}
  </nav>`;
}

function UnreadLink() {
  const count = useStore(unread);
  const load = () => get("/activities/unread-count").then(unread.set, () => undefined);
  useEffect(() => void load(), []);
  useInterval(load, UNREAD_SECONDS);
  const text = count ? (count.isExact ? String(count.count) : `${count.count}+`) : "";
  const short = count && count.count > 99 ? "99+" : text;
  return html`<a class="button button-quiet button-icon bell" href=${link("/activities")}>
    <${Icon} name="bell" /><span class="visually-hidden">Activities, ${text && text !== "0" ? text : "no"} unread</span>
    ${count?.count > 0 && html`<span class="bell-count" aria-hidden="true">${short}</span>`}
  </a>`;
}

const THEMES = [
  ["LIGHT", "Light", "sun"],
  ["DARK", "Dark", "moon"],
  ["SYSTEM", "As the device", "monitor"],
];

function UserMenu({ me }) {
  const { fullName, preferences } = me.profile;
  async function choose(theme) {
    showTheme(theme);
    try {
      await patch("/auth/me/preferences", { theme });
      await reload();
    } catch (error) {
      showTheme(preferences.theme);
      toastError(error);
    }
  }
  const header = html`<div class="menu-header">
    <strong>${fullName}</strong><span class="muted">${me.user.email}</span>
    <${Badge} tone="accent">${words(me.role)}<//>
  </div>`;
  const items = [
    find("/profile") && { label: "Profile and preferences", icon: "user", href: link("/profile") },
    { label: "Sessions", icon: "monitor", href: link("/sessions") },
    may("organization:update") && find("/settings") && { label: "Organization", icon: "settings", href: link("/settings") },
    "-",
    ...THEMES.map(([theme, label, icon]) => ({
      label,
      icon,
      isChecked: preferences.theme === theme,
      onClick: () => choose(theme),
    })),
    "-",
    { label: "Sign out", icon: "log-out", onClick: () => signOut().then(() => toast("You are signed out")) },
  ];
  return html`<${Menu} label=${`Account of ${fullName}`} trigger=${html`<${Avatar} name=${fullName} />`} ...${{ items, header }} />`;
}

/** The module of the page, loaded when it is opened, with the failures of loading and of the page itself. */
function CurrentPage({ target, query }) {
  const [error, reset] = useErrorBoundary((failure) => console.error(failure));
  const module = useResource(() => (target ? loadPage(target.page) : Promise.resolve(null)), [target?.page.path]);
  useEffect(() => scrollTo(0, 0), []);
  if (error) return html`<${ErrorState} error=${error} retry=${reset} />`;
  if (!target) return html`<${NotFound} />`;
  const { permission } = target.page;
  if (permission && !may(permission)) return html`<${NotAllowed} />`;
  if (module.error) return html`<p class="notice notice-bad">${messageOf(module.error)}</p>`;
  if (!module.data) return html`<div class="page"><${Skeleton} lines=${8} /></div>`;
  return html`<${module.data.default} ...${target.parameters} query=${query} />`;
}

const RELOADED = "workledger.reloaded";

/** Load the page's module; where a new release has replaced it, load the console again, once. */
async function loadPage(page) {
  try {
    const module = await page.load();
    sessionStorage.removeItem(RELOADED);
    return module;
  } catch (error) {
    if (sessionStorage.getItem(RELOADED) === null) {
      sessionStorage.setItem(RELOADED, "yes");
      location.reload();
    }
    throw error;
  }
}

const home = html`<${Button} kind="primary" onClick=${() => go("/")}>To the dashboard<//>`;
const NotFound = () => html`<${EmptyState} icon="search" title="There is no such page" action=${home}>The address may be old.<//>`;
const NotAllowed = () => html`<${EmptyState} icon="shield" title="This page is not for your role" action=${home}>
  An administrator of your organization can change your role.
<//>`;
