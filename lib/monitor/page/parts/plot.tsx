/** Values over time, drawn by uPlot on a canvas, which knows nothing of themes: colours are asked of the style each time. */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { theme } from '../data/preferences.ts';
import { useStore } from '../data/store.ts';
import { marksWithin, openOf, type Values, wholeOf } from '../pure/series.ts';
import { axisTime, clockTime, UNKNOWN } from '../pure/words.ts';
import { nowMs } from '../data/clock.ts';
import { Panel } from './controls.tsx';
import { numberColumn, Table } from './table.tsx';

export interface PlotLine {
  readonly name: string;
  readonly values: Values;
  /** Of the custom property. */
  readonly colour: '--accent' | '--bad' | '--plot-2' | '--text-3';
  readonly look?: 'area' | 'bars' | 'dots' | 'line';
}

/** Something that happened at a time. */
export interface PlotMark {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly text: string;
}

interface PlotProps {
  readonly title: string;
  readonly hint: string;
  /** What it shows, in a sentence. */
  readonly sentence: string;
  readonly times: readonly number[];
  readonly lines: readonly PlotLine[];
  /** What happened, in order. */
  readonly marks?: readonly PlotMark[];
  /** The last time is not over: lines end before it, and its numbers are told as what they are. */
  readonly isLastOpen?: boolean;
  readonly format: (value: number) => string;
  readonly isLog?: boolean;
  readonly height?: number;
  /** Dragging over a time. Seconds since the epoch. */
  readonly onZoom?: (from: number, to: number) => void;
}

function colourOf(name: string): string {
  // `light-dark()` stays as it is in a custom property: an element that has it as its colour knows which one.
  const probe = document.createElement('span');
  probe.className = 'visually-hidden';
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

export function Plot(props: PlotProps): VNode {
  const { title, hint, sentence, times, lines, format, marks = [], isLastOpen = false } = props;
  const [at, setAt] = useState<number>();
  const box = usePlot(props, setAt);
  const shown = at ?? Math.max(0, times.length - (isLastOpen ? 2 : 1));
  const time = times[shown];
  return (
    <Panel
      title={title}
      hint={
        at === undefined || time === undefined
          ? hint
          : [timeText(time) + soFar(shown, props), ...marksAt(shown, props)].join(' · ')
      }
      actions={
        <ul class="legend">
          {lines.map(({ name, values, colour, look }) => {
            const value = values[shown];
            return (
              <li key={name}>
                <i class={`swatch swatch${colour}${look === 'dots' ? ' swatch-dots' : ''}`} />
                {name} <b>{value === null || value === undefined ? UNKNOWN : format(value)}</b>
              </li>
            );
          })}
        </ul>
      }
    >
      <div
        class="plot"
        role="img"
        aria-label={[sentence, ...marks.map(({ text }) => `${text}.`)].join(' ')}
        ref={box}
      />
      <details class="as-table">
        <summary>As a table</summary>
        <ValuesTable {...props} />
      </details>
    </Panel>
  );
}

function timeText(seconds: number): string {
  return clockTime(new Date(seconds * 1000).toISOString(), nowMs());
}

function soFar(index: number, { times, isLastOpen = false }: Pick<PlotProps, 'times' | 'isLastOpen'>): string {
  return isLastOpen && index === times.length - 1 ? ', so far' : '';
}

/** Of what happened from this time until the next one. */
function marksAt(index: number, { times, marks = [] }: Pick<PlotProps, 'times' | 'marks'>): readonly string[] {
  return marksWithin(marks, times[index] ?? Infinity, times[index + 1] ?? Infinity).map(({ text }) => text);
}

function ValuesTable(props: PlotProps): VNode {
  const { title, times, lines, format } = props;
  return (
    <Table
      label={`${title} as a table`}
      regionClass="table-low"
      columns={['Time', ...lines.map(({ name }) => numberColumn(name))]}
    >
      {times.map((time, index) => (
        <tr key={time}>
          <td>
            {timeText(time)}
            {soFar(index, props)}
            {marksAt(index, props).map((text) => (
              <span key={text} class="second">
                {text}
              </span>
            ))}
          </td>
          {lines.map(({ name, values }) => {
            const value = values[index];
            return (
              <td key={name} class="number">
                {value === null || value === undefined ? UNKNOWN : format(value)}
              </td>
            );
          })}
        </tr>
      ))}
    </Table>
  );
}

const HEIGHT_PIXELS = 170;

function usePlot(props: PlotProps, onCursor: (index: number | undefined) => void) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const latest = useRef(props);
  latest.current = props;
  const chosen = useStore(theme);
  const { times, lines, height = HEIGHT_PIXELS } = props;
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(latest, element.clientWidth, height, onCursor), dataOf(latest.current), element);
    plot.current = made;
    const sized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    sized.observe(element);
    const dark = globalThis.matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => made.redraw(false, true);
    dark.addEventListener('change', redraw);
    return () => {
      sized.disconnect();
      dark.removeEventListener('change', redraw);
      made.destroy();
    };
    // Made once: values, theme and size come to it.
  }, []);
  useEffect(() => plot.current?.setData(dataOf(latest.current)), [times, lines]);
  useEffect(() => plot.current?.redraw(false, true), [chosen]);
  return box;
}

/** Bars stand for themselves: what failed just now is seen. A line would fall to what is counted so far, which is a point of its own. */
function dataOf({ times, lines, isLastOpen = false }: PlotProps): uPlot.AlignedData {
  const whole = lines.map(({ values, look }) => [...wholeOf(values, isLastOpen && look !== 'bars')]);
  const open = lines.map(({ values, look }) => [...openOf(values, isLastOpen && look !== 'bars')]);
  return [[...times], ...whole, ...open];
}

function optionsOf(
  latest: { readonly current: PlotProps },
  width: number,
  height: number,
  onCursor: (index: number | undefined) => void,
): uPlot.Options {
  const { lines, isLog = false } = latest.current;
  const axis = {
    stroke: () => colourOf('--text-3'),
    grid: { stroke: () => colourOf('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width,
    height,
    legend: { show: false },
    // One cursor for all plots of the page.
    cursor: { sync: { key: 'page' }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: {
      y: { distr: isLog ? 3 : 1, range: isLog ? logRange : (_plot, _least, most) => [0, Math.max(1, most * 1.05)] },
    },
    axes: [
      { ...axis, size: 28, values: (plot, splits) => axisTimes(plot, splits) },
      {
        ...axis,
        size: 64,
        space: 24,
        values: (_plot, splits) => splits.map((value) => (value === null ? '' : latest.current.format(value))),
      },
    ],
    series: [{}, ...lines.map(seriesLook), ...lines.map(openLook)],
    hooks: {
      draw: [(plot) => drawMarks(plot, latest.current.marks ?? [])],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? undefined)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          const from = plot.posToVal(plot.select.left, 'x');
          latest.current.onZoom?.(from, plot.posToVal(plot.select.left + plot.select.width, 'x'));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** Times within a day, days beyond. */
function axisTimes({ scales }: uPlot, splits: readonly number[]): string[] {
  const seconds = (scales['x']?.max ?? 0) - (scales['x']?.min ?? 0);
  return splits.map((split) => axisTime(split * 1000, seconds));
}

/** Whole powers of ten round what there is. */
function logRange(_plot: uPlot, least: number | null, most: number | null): [number, number] {
  const low = 10 ** Math.floor(Math.log10(Math.max(least ?? 0.01, 0.001)));
  return [low, Math.max(low * 10, 10 ** Math.ceil(Math.log10(Math.max(most ?? 1, 0.01))))];
}

/** A line through the plot for each, which says what it is to whoever points at it. */
function drawMarks(plot: uPlot, marks: readonly PlotMark[]): void {
  for (const old of plot.over.querySelectorAll('.plot-mark')) old.remove();
  // The last minute or hour has no width in the plot: what happened in it stands at its beginning.
  const { min = 0, max = 0 } = plot.scales['x'] ?? {};
  for (const { at, text } of marks) {
    if (at < min) continue;
    const mark = document.createElement('i');
    mark.className = 'plot-mark';
    mark.title = text;
    mark.style.left = `${plot.valToPos(Math.min(at, max), 'x')}px`;
    plot.over.append(mark);
  }
}

/** What is counted so far. */
function openLook({ name, colour }: PlotLine): uPlot.Series {
  return {
    label: `${name}, so far`,
    stroke: () => colourOf(colour),
    paths: () => null,
    points: { show: true, size: 6, fill: () => colourOf('--surface') },
  };
}

function seriesLook({ name, colour, look = 'line' }: PlotLine): uPlot.Series {
  const stroke = (): string => colourOf(colour);
  const soft = (): string => `color-mix(in oklab, ${colourOf(colour)}, transparent 85%)`;
  const bars = uPlot.paths.bars?.({ size: [0.7, 40] });
  return {
    label: name,
    stroke,
    width: look === 'line' || look === 'area' ? 1.75 : 1.25,
    spanGaps: false,
    // One value between two gaps has no line.
    points: look === 'line' || look === 'dots' ? { size: 4, fill: stroke } : { show: false },
    ...(look === 'dots' ? { dash: [2, 3] } : {}),
    ...(look === 'area' ? { fill: soft } : {}),
    ...(look === 'bars' && bars !== undefined ? { fill: stroke, paths: bars } : {}),
  };
}
