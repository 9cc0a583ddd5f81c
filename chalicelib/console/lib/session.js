/** Who is signed in: user, organization, role and permissions, and the settings that all pages follow. */

import { get, post } from "./api.js";
import { setFormats } from "./format.js";
import { store, useStore } from "./store.js";
import { beginSession, endSession, onEnd, takeOver, token } from "./token.js";

/** The answer of getCurrentUser; null while nobody is signed in. */
export const me = store(null);
export const useMe = () => useStore(me);

/** Why the last session ended, for the sign-in page: "expired", "signed-out" or null. */
export const endReason = store(null);

onEnd((reason) => {
  endReason.set(reason);
  me.set(null);
});

/** True if the caller's role holds the permission, such as "clients:write". */
export const may = (permission) => me.get()?.permissions.includes(permission) ?? false;

/** Load who is signed in, from this tab's token or another tab's. */
export async function restore() {
  if (await takeOver()) await reload();
}

export async function reload() {
  const loaded = await get("/auth/me");
  const { preferences } = loaded.profile;
  setFormats({
    locale: preferences.locale,
    timezone: loaded.organization.timezone,
    currency: loaded.organization.currency,
    weekStart: preferences.weekStart || loaded.organization.weekStart,
  });
  showTheme(preferences.theme);
  me.set(loaded);
}

/** Begin the session of an answer with a token: of signing in, signing up or an accepted invitation. */
export async function begin(answer) {
  beginSession(answer.token);
  endReason.set(null);
  await reload();
}

export async function signOut() {
  if (token()) await post("/auth/sign-out", undefined, { isPublic: true }).catch(() => undefined);
  endSession("signed-out");
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** True while the page is dark, by the theme or by the device; charts follow it. */
export const darkness = store(prefersDark.matches);
prefersDark.addEventListener("change", () => darkness.set(isDark()));

/** Show a theme: LIGHT, DARK, or SYSTEM for the one of the device. */
export function showTheme(theme) {
  document.documentElement.dataset.theme = theme.toLowerCase();
  darkness.set(isDark());
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && prefersDark.matches);
}
