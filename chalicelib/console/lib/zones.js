/** Wall clock times of the organization's time zone, for inputs of date and time. */

import { formats } from "./format.js";

/** Minutes that a zone is ahead of UTC at an instant. */
function offsetMinutes(milliseconds, zone) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(new Date(milliseconds));
  const of = (type) => Number(parts.find((part) => part.type === type).value);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return Math.round((wall - Math.floor(milliseconds / 1000) * 1000) / 60_000);
}

/** Return the instant of a wall clock time such as 2026-11-29T09:30; the earlier one where the clock is set back. */
export function instantOf(wallTime, zone = formats().timezone) {
  const asUtc = Date.parse(`${wallTime.slice(0, 16)}:00Z`);
  if (Number.isNaN(asUtc)) return null;
  const candidates = [asUtc - 86_400_000, asUtc + 86_400_000]
    .map((near) => asUtc - offsetMinutes(near, zone) * 60_000)
    .sort((one, other) => one - other);
  const exact = candidates.find((instant) => instant + offsetMinutes(instant, zone) * 60_000 === asUtc);
  return new Date(exact ?? candidates[1]).toISOString();
}

/** Return the instant of an input whose value was `before`: the seconds, which inputs do not show, stay. */
export const exactInstant = (wallTime, before) => (before && wallTime === wallTimeOf(before) ? before : instantOf(wallTime));

/** Return the wall clock time of an instant, as an input of type datetime-local takes it. */
export function wallTimeOf(instant, zone = formats().timezone) {
  const milliseconds = new Date(instant).getTime();
  return new Date(milliseconds + offsetMinutes(milliseconds, zone) * 60_000).toISOString().slice(0, 16);
}
