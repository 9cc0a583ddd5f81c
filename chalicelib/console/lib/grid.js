/** Positions on the dashboard's grid of twelve columns: `{x, y, w, h}`. */

export const COLUMNS = 12;
export const MAX_HEIGHT = 12;

const overlaps = (one, other) =>
  one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;

/** The place as styles, which the style sheet of a phone does not use. */
export const placeOf = ({ x, y, w, h }) => ({ "--column": `${x + 1} / span ${w}`, "--row": `${y + 1} / span ${h}`, "--height": h });

const byPlace = ([, one], [, other]) => one.y - other.y || one.x - other.x;

/** Return the position within the grid's bounds. */
export function bounded({ x, y, w, h }) {
  const width = clamp(w, 1, COLUMNS);
  return { x: clamp(x, 0, COLUMNS - width), y: Math.max(0, y), w: width, h: clamp(h, 1, MAX_HEIGHT) };
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Return positions by id in which nothing overlaps: those of `firstIds` have precedence, the others move down. */
export function settled(positions, firstIds = []) {
  const placed = new Map();
  const first = new Set(firstIds);
  const rest = Object.entries(positions).filter(([id]) => !first.has(id));
  const order = [...firstIds.map((id) => [id, positions[id]]), ...rest.sort(byPlace)];
  for (const [id, position] of order) {
    let place = bounded(position);
    let clash;
    while ((clash = [...placed.values()].find((other) => overlaps(place, other)))) {
      place = { ...place, y: clash.y + clash.h };
    }
    placed.set(id, place);
  }
  return Object.fromEntries(placed);
}

/** Return settled positions by id without holes: each at the first place, line by line, at which there is room. */
export function compacted(positions) {
  const placed = new Map();
  for (const [id, position] of Object.entries(settled(positions)).sort(byPlace)) {
    placed.set(id, firstFree(position, [...placed.values()]));
  }
  return Object.fromEntries(placed);
}

function firstFree(position, taken) {
  for (let y = 0; ; y += 1) {
    for (let x = 0; x <= COLUMNS - position.w; x += 1) {
      const place = { ...position, x, y };
      if (!taken.some((other) => overlaps(place, other))) return place;
    }
  }
}
