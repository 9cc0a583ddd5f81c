/** The chart of a summary of time: bars by its first dimension, stacked by its second. */

// As the API's own charts: colours that colour-blind people can tell apart.
const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#6B7280"];
const QUIET = "#6B7280";
const FAINT = "#E5E7EB";
const MOST_BARS = 15;
const OTHER = "Other";

/** `groups`: `{label, seconds, groups}`; `isInTime` if they follow each other in time, so none is left out. */
export function chartOf(groups, { isInTime, description }) {
  const bars = isInTime ? groups : [...groups].sort((one, other) => other.seconds - one.seconds).slice(0, MOST_BARS);
  const isStacked = bars.some((bar) => bar.groups);
  const series = isStacked ? largest(bars) : [];
  const values = bars.flatMap((bar) => (isStacked ? partsOf(bar, series) : [{ bar: bar.label, hours: bar.seconds / 3600 }]));
  const names = { field: "bar", type: "nominal", sort: null, title: null };
  const amounts = { field: "hours", type: "quantitative", title: "Hours" };
  const colour = { field: "part", type: "nominal", title: null, scale: { domain: series, range: COLOURS }, legend: { orient: "bottom", columns: 3 } };
  const tooltip = [
    { ...names, title: "For" },
    ...(isStacked ? [{ field: "part", type: "nominal", title: "Of" }] : []),
    { ...amounts, format: ".2f" },
  ];
  return {
    description,
    data: { values },
    mark: { type: "bar", color: COLOURS[0], cornerRadiusEnd: isStacked ? 0 : 3 },
    encoding: {
      [isInTime ? "x" : "y"]: { ...names, axis: { labelOverlap: true, labelAngle: 0, labelLimit: 140 } },
      [isInTime ? "y" : "x"]: { ...amounts, axis: { tickCount: 5 } },
      tooltip,
      ...(isStacked ? { color: colour } : {}),
    },
    config: {
      axis: { labelColor: QUIET, titleColor: QUIET, gridColor: FAINT, domainColor: FAINT, ticks: false, labelPadding: 6 },
      legend: { labelColor: QUIET },
      view: { stroke: null },
      font: "Inter, system-ui, sans-serif",
    },
  };
}

/** The names of the largest parts over all bars, as many as there are colours, the last one for all others. */
function largest(bars) {
  const sums = new Map();
  for (const { label, seconds } of bars.flatMap((bar) => bar.groups)) sums.set(label, (sums.get(label) ?? 0) + seconds);
  const sorted = [...sums].sort((one, other) => other[1] - one[1]).map(([label]) => label);
  return sorted.length <= COLOURS.length ? sorted : [...sorted.slice(0, COLOURS.length - 1), OTHER];
}

function partsOf(bar, series) {
  const hours = new Map();
  for (const { label, seconds } of bar.groups) {
    const part = series.includes(label) ? label : OTHER;
    hours.set(part, (hours.get(part) ?? 0) + seconds / 3600);
  }
  // A bar without time keeps its place.
  if (hours.size === 0 && series.length > 0) hours.set(series[0], 0);
  return [...hours].map(([part, value]) => ({ bar: bar.label, part, hours: value }));
}
