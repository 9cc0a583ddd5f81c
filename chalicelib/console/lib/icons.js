/** Icons as strokes on a grid of 24: `<${Icon} name="plus" />`. They are decoration; the text beside them says it. */

import { html } from "./html.js";

const PATHS = {
  activity: "M3 12h4l3 8 4-16 3 8h4",
  alert: "M12 8v5m0 3.5v.01M10.3 3.9 2.4 17.5A2 2 0 0 0 4.1 20.5h15.8a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z",
  archive: "M3 4h18v4H3zM5 8v12h14V8M10 12h4",
  bell: "M6 9a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7M10 20a2 2 0 0 0 4 0",
  briefcase: "M4 8h16v12H4zM9 8V5h6v3M4 13h16",
  building: "M5 21V4h10v17M15 9h4v12M3 21h18M8.5 8h3m-3 4h3m-3 4h3",
  calendar: "M4 6h16v15H4zM4 11h16M8 3v5m8-5v5",
  chart: "M4 4v16h16M8 16v-4m4 4V8m4 8v-6",
  check: "m5 12.5 4.5 4.5L19 7.5",
  "check-all": "m2 12.5 4.5 4.5L15 8.5M11 16l1 1 9.5-9.5",
  "chevron-down": "m6 9 6 6 6-6",
  "chevron-left": "m15 6-6 6 6 6",
  "chevron-right": "m9 6 6 6-6 6",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3.5 2",
  coins: "M9 5a5 5 0 1 0 0 10A5 5 0 0 0 9 5M15.5 9.2A5 5 0 1 1 10 17",
  corner: "M20 8 8 20M20 15l-5 5",
  dashboard: "M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z",
  document: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6m-6 4h6",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  download: "M12 4v11m0 0 4-4m-4 4-4-4M4 20h16",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  folder: "M3 6h6l2 2h10v12H3z",
  key: "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8m3 1 8-8m-3 3 2.5 2.5",
  "log-out": "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  mail: "M3 6h18v13H3zM3 7l9 6 9-6",
  menu: "M4 7h16M4 12h16M4 17h16",
  monitor: "M3 5h18v11H3zM9 20h6m-3-4v4",
  moon: "M20 14a8 8 0 0 1-10-10 8 8 0 1 0 10 10z",
  pause: "M8 5v14M16 5v14",
  phone: "M6 4h4l1.5 4-2 1.5a11 11 0 0 0 5 5l1.5-2 4 1.5v4a1.5 1.5 0 0 1-1.6 1.5A16 16 0 0 1 4.5 5.6 1.5 1.5 0 0 1 6 4z",
  pin: "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21M12 7.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  play: "M7 5v14l11-7z",
  plus: "M12 5v14M5 12h14",
  refresh: "M20 11a8 8 0 0 0-14-4.5L4 8.5M4 4v4.5h4.5M4 13a8 8 0 0 0 14 4.5l2-2M20 20v-4.5h-4.5",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l5 5",
  settings: "M4 7h9m4 0h3M4 17h3m4 0h9M15 5v4M9 15v4",
  shield: "M12 3 5 6v6c0 4.5 3 7.5 7 9 4-1.5 7-4.5 7-9V6z",
  sort: "m8 9 4-4 4 4M8 15l4 4 4-4",
  "sort-asc": "m7 14 5-5 5 5",
  "sort-desc": "m7 10 5 5 5-5",
  stop: "M7 7h10v10H7z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5m11 11L19 19M5 19l1.5-1.5m11-11L19 5",
  tag: "M4 4h8l8 8-8 8-8-8zM8.5 8.5h.01",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5m4-5v5",
  upload: "M12 16V5m0 0 4 4m-4-4L8 9M4 20h16",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21a8 8 0 0 1 16 0",
  users: "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M2.5 20a6.5 6.5 0 0 1 13 0M16 5.3a3.5 3.5 0 0 1 0 6.4M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  x: "M6 6l12 12M18 6 6 18",
};

export const hasIcon = (name) => Object.hasOwn(PATHS, name ?? "");

export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name] || PATHS.dots} />
  </svg>`;
}
