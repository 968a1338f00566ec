// One chart of the last minute: lines that lie one upon another, each filled down to the one below it.

const SECONDS = 60;
const MARKS = [60, 45, 30, 15, 0];

/** A text of CSS such as `var(--used)`'s value as it is now, in the light or in the dark. */
const shade = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class Chart {
  /** `names` are the shades of the lines, the lowest first; `ceiling()` is the top of the scale. */
  constructor(place, names, ceiling, unit) {
    // Drawn from the highest to the lowest, so that each fill ends where the next begins.
    const lines = names.toReversed().map((name) => ({
      stroke: () => shade(name),
      fill: () => `color-mix(in srgb, ${shade(name)} 26%, ${shade("card")})`,
      width: 1.6,
      points: { show: false },
    }));
    const axis = {
      stroke: () => shade("faint"),
      grid: { stroke: () => shade("line"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const scales = {
      x: { range: (_, least, most) => [most - SECONDS, most] },
      y: { range: () => [0, ceiling()] },
    };
    const axes = [
      {
        ...axis,
        size: 24,
        splits: (plot) => MARKS.map((ago) => plot.scales.x.max - ago),
        values: () => MARKS.map((ago) => (ago ? `${ago} s ago` : "now")),
      },
      { ...axis, size: 54, space: 34, values: (_, marks) => marks.map((mark) => `${mark}${unit}`) },
    ];
    const size = () => ({ width: Math.max(place.clientWidth, 120), height: place.clientHeight });
    const options = { ...size(), scales, axes, series: [{}, ...lines], legend: { show: false }, cursor: { show: false } };
    options.padding = [8, 26, 0, 0];
    this.plot = new uPlot(options, [[], ...names.map(() => [])], place);
    new ResizeObserver(() => this.plot.setSize(size())).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plot.redraw(false));
  }

  /** Draws these points: `[time, lowest, next, …]` each; `null` in place of a value is a gap. */
  draw(points) {
    const columns = [points.map(([time]) => time)];
    const lines = (points[0]?.length ?? 1) - 1;
    for (let line = lines; line >= 1; line--) {
      columns.push(points.map((point) => {
        const below = point.slice(1, line + 1);
        return below.includes(null) ? null : below.reduce((sum, value) => sum + value, 0);
      }));
    }
    this.plot.setData(columns);
  }
}
