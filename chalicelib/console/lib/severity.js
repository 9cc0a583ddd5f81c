/** The sign of an activity's severity; the words that matter are in its text. */

import { classes, html } from "./html.js";
import { Icon } from "./icons.js";

export const TONES = { SUCCESS: "good", WARNING: "warning", ERROR: "bad", CRITICAL: "bad" };
const ICONS = { SUCCESS: "check", WARNING: "alert", ERROR: "alert", CRITICAL: "alert" };

export const SeverityIcon = ({ severity }) => html`<span class=${classes("feed-icon", TONES[severity] && `tone-${TONES[severity]}`)}>
  <${Icon} name=${ICONS[severity] || "activity"} size=${16} />
</span>`;
