// A chart of the last five minutes, by uPlot. Colours come from the style sheet, so that both themes are legible.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { live } from "./live";
import { onTheme } from "./theme";

const INCREMENTS = Array.from({ length: 40 }, (_, power) => 2 ** power);
const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

interface Props {
  title: string;
  names: string[];
  label: (name: string) => string;
  format: (value: number) => string;
  height?: number;
  /** Ticks are at powers of two. */
  bytes?: boolean;
  /** There is nothing between two whole numbers. */
  whole?: boolean;
  source?: { times: number[]; series: Map<string, (number | null)[]> };
}

export function Chart({ title, names, label, format, height = 170, bytes = false, whole = false, source = live.history }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const key = names.join("\n");

  const data = (): uPlot.AlignedData => [source.times, ...names.map((name) => source.series.get(name) ?? source.times.map(() => null))] as uPlot.AlignedData;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      const style = getComputedStyle(document.documentElement);
      const color = (name: string) => style.getPropertyValue(name).trim();
      const axis = { stroke: color("--faint"), grid: { stroke: color("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
      plot.current = new uPlot(
        {
          width: Math.max(200, element.clientWidth), height,
          // Half a line above the plot for the label of its highest tick, half a label beside it for that of its last one.
          padding: [10, 28, 0, 0],
          cursor: { points: { size: 6 }, y: false },
          legend: { show: names.length <= 12, live: true },
          scales: { x: { range: (_u, _min, max) => [max - Math.min(300, Math.max(60, max - (source.times[0] ?? max))), max] }, y: { range: (_u, _min, max) => [0, Math.max(max * 1.15, 1)] } },
          axes: [
            { ...axis, space: 80, values: (_u: uPlot, ticks: number[]) => ticks.map((tick) => new Date(tick * 1000).toTimeString().slice(0, 8)) },
            { ...axis, size: 66, ...(bytes ? { incrs: INCREMENTS } : whole ? { incrs: WHOLE } : {}), values: (_u: uPlot, ticks: number[]) => ticks.map(format) },
          ],
          series: [
            { label: "time" },
            ...names.map((name, place) => ({
              label: label(name),
              stroke: color(`--series-${(place % 8) + 1}`),
              fill: names.length === 1 ? color("--series-fill") : undefined,
              width: 1.75,
              points: { show: false },
              // Where nobody points, the legend tells the last value.
              value: (_u: uPlot, value: number | null) => { const told = value ?? source.series.get(name)?.at(-1); return told === null || told === undefined ? "–" : format(told); },
            })) as uPlot.Series[],
          ],
        },
        data(),
        element,
      );
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(200, element.clientWidth), height }));
    resized.observe(element);
    const off = onTheme(draw);
    return () => { resized.disconnect(); off(); plot.current?.destroy(); plot.current = null; };
  }, [key, height]);

  useEffect(() => { plot.current?.setData(data()); });

  return (
    <figure class="card chart" aria-label={title}>
      <figcaption>{title}</figcaption>
      <div ref={box} class="plot" />
    </figure>
  );
}
