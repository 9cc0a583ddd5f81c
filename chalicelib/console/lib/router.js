/**
 * The router: the page's address is behind the `#`, as in `#/timesheets/{userId}/{weekStart}?tab=days`.
 *
 * Behind the `#` nothing is sent to a server, so the codes of mail links reach no log, and one HTML page is enough.
 */

import { store, useStore } from "./store.js";
import { queryText } from "./api.js";

export const route = store(current());

export const useRoute = () => useStore(route);

function current() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  return { path: path.startsWith("/") ? path : `/${path}`, query: Object.fromEntries(new URLSearchParams(query)) };
}

addEventListener("hashchange", () => route.set(current()));

/** Return the address of a page for `href`. */
export const link = (path, query) => `#${path}${queryText(query)}`;

export function go(path, query, { isReplacing = false } = {}) {
  const address = link(path, query);
  if (isReplacing) {
    history.replaceState(null, "", address);
    route.set(current());
  } else if (location.hash === address) {
    route.set(current());
  } else {
    location.hash = address;
  }
}

/** Change the query of the current page, without an entry in the history. */
export function setQuery(changes) {
  const { path, query } = route.get();
  go(path, { ...query, ...changes }, { isReplacing: true });
}

/** Return the parameters of a path by a pattern such as `/loans/{id}`, or null. */
export function match(pattern, path) {
  const expected = pattern.split("/");
  const given = path.replace(/(.)\/$/, "$1").split("/");
  if (expected.length !== given.length) return null;
  const parameters = {};
  for (const [index, segment] of expected.entries()) {
    if (segment.startsWith("{")) parameters[segment.slice(1, -1)] = decode(given[index]);
    else if (segment !== given[index]) return null;
  }
  return parameters;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
