/** What synth prints of the schedule entries: what fires each, and why. */
import type { BeatManifest } from '../lib/options/manifest.ts';
import { nextTicks } from '../lib/schedules/next-due.ts';
import { describeSchedule } from '../lib/schedules/schedule.ts';

const HEAD = ['entry', 'fired by', 'expression', 'reason', 'next three ticks (UTC)'];
const SHOWN_TICKS = 3;

export function beatTable(beat: readonly BeatManifest[], nowMs: number): string {
  const rows = beat.map((entry) => [
    entry.name.replaceAll(/\p{Cc}/gu, ' '),
    entry.enabled ? entry.firedBy : `${entry.firedBy}, disabled`,
    entry.expression ?? describeSchedule(entry.schedule),
    entry.reason,
    ticksOf(entry, nowMs),
  ]);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [HEAD, widths.map((width) => '-'.repeat(width)), ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function ticksOf({ schedule, startMs, expiresMs, oneOff }: BeatManifest, nowMs: number): string {
  const entry = { schedule, startMs: startMs ?? null, expiresMs: expiresMs ?? null };
  const ticks = nextTicks(entry, nowMs, nowMs, oneOff === true ? 1 : SHOWN_TICKS);
  if (ticks.length === 0) return 'never';
  const shown = ticks.map((tick) =>
    new Date(tick)
      .toISOString()
      .replace('T', ' ')
      .replace(/(?::00)?\.000Z$/, ''),
  );
  return schedule.type === 'interval' && startMs === undefined
    ? `${shown.join(', ')} (if deployed now)`
    : shown.join(', ');
}
