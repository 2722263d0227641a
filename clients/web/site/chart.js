/** Stacked bars, day by day, in plain SVG. */

import { h } from "./dom.js";

const WIDTH = 480;
const BASE = 132; // where the bars stand
const TALLEST = 112;
const HEIGHT = 150;

/** `days` hold the day and a number for each of `parts`, which are stacked; `format` tells a number with its unit. */
export function chart(title, days, parts, format) {
  const total = (day) => parts.reduce((sum, part) => sum + day[part], 0);
  const most = Math.max(0, ...days.map(total));
  const width = WIDTH / days.length;
  const scale = TALLEST / (most || 1);
  const bars = days.map((day, index) => bar(day, parts, format, { x: index * width, width, scale }));
  const axis = [
    h("line", { x1: 0, x2: WIDTH, y1: BASE + 0.5, y2: BASE + 0.5 }),
    h("text", { x: 0, y: HEIGHT - 3 }, days[0].day),
    h("text", { x: WIDTH, y: HEIGHT - 3, "text-anchor": "end" }, days.at(-1).day),
    h("text", { x: 0, y: 11 }, `most in a day: ${format(most)}`),
  ];
  const label = `${title}: ${format(days.reduce((sum, day) => sum + total(day), 0))} in all`;
  const key = parts.length > 1 && h("p.key", parts.map((part) => h(`span.${part}`, part)));
  const drawing = h("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, bars, axis);
  return h("figure.card", h("figcaption", title), drawing, key);
}

function bar(day, parts, format, { x, width, scale }) {
  let top = BASE;
  const rects = parts.map((part) => {
    const height = day[part] * scale;
    top -= height;
    return h(`rect.${part}`, { x: x + 1, y: top, width: width - 2, height, rx: 1 });
  });
  const told = parts.map((part) => `${part}: ${format(day[part])}`).join(", ");
  return h("g", h("title", `${day.day}: ${told}`), rects);
}
