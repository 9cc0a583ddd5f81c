/** Vega-Lite charts: the libraries are loaded when a page is to draw one, and no expression is compiled. */

import { html, useEffect, useRef, useState } from "./html.js";
import { darkness } from "./session.js";
import { useStore } from "./store.js";

const LIBRARIES = ["vega.js", "vega-lite.js", "vega-embed.js"];
let loading = null;

/** Load the libraries, once. A page that knows of charts before it has their data calls it ahead. */
export function loadLibraries() {
  // In this order: each one needs those before it. They arrive at once and run one after the other.
  loading ??= Promise.all(LIBRARIES.map((name) => loadScript(new URL(`../vendor/${name}`, import.meta.url)))).catch(
    (error) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: url.href, async: false });
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${url.pathname} was not loaded`));
    document.head.append(script);
  });
}

const OPTIONS = {
  mode: "vega-lite",
  actions: false,
  ast: true,
  defaultStyle: false,
  renderer: "svg",
  tooltip: { disableDefaultStyle: true, theme: "custom" },
};

/** Draw a spec of the API in the size of its box. It is described in words for those who do not see it. */
export function Chart({ spec }) {
  const box = useRef(null);
  const isDark = useStore(darkness);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    let view = null;
    let isGone = false;
    loadLibraries()
      .then(() => (isGone ? null : window.vegaEmbed(box.current, fitted(spec, isDark), OPTIONS)))
      .then((result) => (isGone ? result?.finalize() : (view = result)))
      .catch((error) => {
        console.error(error);
        setFailed(true);
      });
    return () => {
      isGone = true;
      view?.finalize();
    };
  }, [spec, isDark]);
  if (hasFailed) return html`<p class="muted">${spec.description || "This chart could not be drawn."}</p>`;
  return html`<div class="chart" role="img" aria-label=${spec.description}><div ref=${box} class="chart-box" aria-hidden="true" /></div>`;
}

/** Return the spec as large as its box, without the title that the tile has, in the colours of the page. */
function fitted(spec, isDark) {
  const { $schema: _, title: __, height: ___, ...rest } = spec;
  const colours = isDark ? darkColours(spec.config ?? {}) : {};
  const background = { background: "transparent" };
  return recoloured({ ...rest, ...background, width: "container", height: "container" }, colours);
}

/** Which colour of the spec's ink becomes which; those of its data stay, they are made for both. */
function darkColours({ title = {}, axis = {} }) {
  const pairs = [
    [title.color, "#e6ebf3"],
    [title.subtitleColor, "#9ba8ba"],
    [axis.labelColor, "#9ba8ba"],
    [axis.gridColor, "#2b3442"],
    [axis.domainColor, "#2b3442"],
    ["white", "#171c25"],
    ["#ffffff", "#171c25"],
  ];
  return Object.fromEntries(pairs.filter(([colour]) => colour).map(([colour, dark]) => [colour.toLowerCase(), dark]));
}

function recoloured(value, colours) {
  if (typeof value === "string") return colours[value.toLowerCase()] ?? value;
  if (Array.isArray(value)) return value.map((item) => recoloured(item, colours));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, name === "values" ? item : recoloured(item, colours)]));
}
