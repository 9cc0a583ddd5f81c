/** Dates, numbers and money for people: in the user's language, and in the organization's time zone. */

let settings = { locale: "en", timezone: "UTC", currency: "EUR", weekStart: "MONDAY" };
const cache = new Map();

export function setFormats(next) {
  settings = { ...settings, ...next };
  cache.clear();
}

export const formats = () => settings;

/** The language and region of formats: "en" alone would write American dates, so the browser's region is kept. */
function locale() {
  const own = navigator.languages.find((language) => language.split("-")[0] === settings.locale);
  return settings.locale.includes("-") || !own ? settings.locale : own;
}

function formatter(kind, options) {
  const name = kind.name + JSON.stringify(options);
  if (!cache.has(name)) cache.set(name, new kind(locale(), options));
  return cache.get(name);
}

const dates = (options) => formatter(Intl.DateTimeFormat, { timeZone: settings.timezone, ...options });

const EMPTY = "–";
const known = (value) => value !== null && value !== undefined && value !== "";

export const instant = (value) =>
  known(value) ? dates({ dateStyle: "medium", timeStyle: "short" }).format(new Date(value)) : EMPTY;
export const time = (value) => (known(value) ? dates({ timeStyle: "short" }).format(new Date(value)) : EMPTY);
export const dateOf = (value) => (known(value) ? dates({ dateStyle: "medium" }).format(new Date(value)) : EMPTY);

/** A day such as 2026-11-29, which is no instant. */
export const day = (value, options = { dateStyle: "medium" }) =>
  known(value) ? formatter(Intl.DateTimeFormat, { timeZone: "UTC", ...options }).format(new Date(`${value}T00:00Z`)) : EMPTY;

/** Days from one to another, such as 23–29 Nov 2026. */
export const dayRange = (first, last) =>
  formatter(Intl.DateTimeFormat, { timeZone: "UTC", dateStyle: "medium" }).formatRange(new Date(`${first}T00:00Z`), new Date(`${last}T00:00Z`));

export const weekday = (value) => day(value, { weekday: "short", day: "numeric", month: "short" });

/** Return the day of an instant in the organization's time zone, as 2026-11-29. */
export function dayOf(value = Date.now()) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: settings.timezone, dateStyle: "short" });
  return parts.format(new Date(value));
}

export function addDays(dayText, count) {
  const date = new Date(`${dayText}T00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

/** Return the first day of the week of a day. */
export function weekOf(dayText) {
  const first = settings.weekStart === "SUNDAY" ? 0 : settings.weekStart === "SATURDAY" ? 6 : 1;
  const weekdayNumber = new Date(`${dayText}T00:00Z`).getUTCDay();
  return addDays(dayText, -((weekdayNumber - first + 7) % 7));
}

export const number = (value, digits = 2) =>
  known(value) ? formatter(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value) : EMPTY;
export const percent = (value, digits = 1) => (known(value) ? `${number(value, digits)} %` : EMPTY);
export const hours = (value) => (known(value) ? `${number(value)} h` : EMPTY);

/** Seconds as hours and minutes: 7:05. */
export function duration(seconds) {
  if (!known(seconds)) return EMPTY;
  const minutes = Math.floor(Math.abs(seconds) / 60);
  return `${seconds < 0 ? "−" : ""}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/** Seconds as a running clock: 7:05:09. */
export const clock = (seconds) => `${duration(seconds)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const currencyDigits = (currency) =>
  formatter(Intl.NumberFormat, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;

/** Money of the API, `{amount, currency}` in minor units. */
export const money = (value) =>
  known(value) ? amount(value.amount / 10 ** currencyDigits(value.currency), value.currency) : EMPTY;

/** An amount in major units, as metrics have it. */
export const amount = (value, currency = settings.currency) =>
  known(value) ? formatter(Intl.NumberFormat, { style: "currency", currency }).format(value) : EMPTY;

/** Text in major units, as people type it, to minor units; null where it is no amount. */
export function minorUnits(text, currency = settings.currency) {
  const parts = formatter(Intl.NumberFormat, {}).formatToParts(1234567.8);
  const sign = (type) => parts.find((part) => part.type === type)?.value ?? "";
  const plain = text.trim().replaceAll(sign("group"), "").replace(sign("decimal"), ".");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Math.round(Number(plain) * 10 ** currencyDigits(currency)) : null;
}

const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "3 hours ago", "in 2 days". */
export function relative(value) {
  if (!known(value)) return EMPTY;
  const seconds = (new Date(value).getTime() - Date.now()) / 1000;
  const [unit, length] = STEPS.find(([, step]) => Math.abs(seconds) >= step) || ["second", 1];
  return formatter(Intl.RelativeTimeFormat, { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

/** A constant of the API as words: WORK_LOCATION and workLocation are "Work location". */
export function words(constant) {
  if (!known(constant)) return EMPTY;
  const text = String(constant).replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
  return (text.charAt(0).toUpperCase() + text.slice(1)).replace(/^Kpi\b/, "KPI");
}
