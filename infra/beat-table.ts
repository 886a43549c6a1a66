/** What synth prints of the schedule entries: what fires each, and why. */
import type { BeatManifest } from '../lib/options/manifest.ts';
import { nextTicks } from '../lib/schedules/next-due.ts';
import { scheduleExpression } from '../lib/schedules/schedule-expression.ts';
import { cell, textTable } from './text-table.ts';

const SHOWN_TICKS = 3;
const LONGEST_NAME = 30;

/** Below an entry stand why it is swept, and its next ticks: side by side they would be wider than a terminal. */
export function beatTable(beat: readonly BeatManifest[], nowMs: number): string {
  const rows = beat.map((entry) => [
    cell(entry.name, LONGEST_NAME),
    entry.enabled ? entry.firedBy : `${entry.firedBy}, disabled`,
    entry.expression ?? scheduleExpression(entry.schedule),
  ]);
  const [head = '', line = '', ...entries] = textTable(['entry', 'fired by', 'expression'], rows).split('\n');
  const below = beat.map((entry) => [
    ...(entry.reason === '' ? [] : [`  because: ${entry.reason}`]),
    `  next: ${ticksOf(entry, nowMs)}`,
  ]);
  const told = entries.flatMap((entry, index) => [entry, ...(below[index] ?? [])]);
  return ['schedule entries, times in UTC', '', head, line, ...told].join('\n');
}

function ticksOf({ schedule, startMs, expiresMs, oneOff }: BeatManifest, nowMs: number): string {
  const entry = { schedule, startMs: startMs ?? null, expiresMs: expiresMs ?? null };
  const ticks = nextTicks(entry, nowMs, nowMs, oneOff === true ? 1 : SHOWN_TICKS);
  if (ticks.length === 0) return 'never';
  const shown = ticks.map((tick, index) => {
    const [day, time] = dayAndTime(tick);
    const before = ticks[index - 1];
    return before !== undefined && dayAndTime(before)[0] === day ? time : `${day} ${time}`;
  });
  return schedule.type === 'interval' && startMs === undefined
    ? `${shown.join(', ')} (if deployed now)`
    : shown.join(', ');
}

function dayAndTime(ms: number): readonly [day: string, time: string] {
  const [day = '', time = ''] = new Date(ms).toISOString().split('T');
  return [day, time.replace(/(?::00)?\.\d{3}Z$/, '')];
}
