/** The same questions to us and to the real Celery. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CRONTAB_FIELDS, type CrontabField, fieldText, parseField } from '../../lib/schedules/crontab-fields.ts';
import { crontab } from '../../lib/schedules/crontab.ts';
import { nextDueMs } from '../../lib/schedules/next-due.ts';
import { askPython, reasonToSkip } from '../support/python.ts';
import { fieldsArbitrary, MONTH_NAMES, WEEKDAY_NAMES } from './expressions.ts';
import { changesBetween, DAY, type Fields, HOUR } from './oracle.ts';

const SEED = 20_240_310;
/** More of them: `CRONTAB_SAMPLES=200000 npm test -- test/schedules/celery`. */
const SAMPLES = Number(process.env['CRONTAB_SAMPLES'] ?? 10_000);
const TEXTS = SAMPLES / 2;
const reason = reasonToSkip('comparison with Celery');

// Python's own copy of the time zone database, which is newer than most systems'.
const environment = { ...process.env, PYTHONTZPATH: '' };

type Question =
  | { readonly ask: 'next'; readonly fields: readonly string[]; readonly zone: string; readonly after: number }
  | { readonly ask: 'values'; readonly fields: readonly string[] };

async function askCelery<A>(questions: readonly Question[]): Promise<A[]> {
  return askPython(new URL('celery_oracle.py', import.meta.url), questions, environment);
}

const listed = ({ minute, hour, dayOfMonth, monthOfYear, dayOfWeek }: Fields): string[] => [
  minute,
  hour,
  dayOfMonth,
  monthOfYear,
  dayOfWeek,
];

interface Case {
  readonly fields: Fields;
  readonly zone: string;
  readonly afterSeconds: number;
}

const ZONES = [
  'UTC',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'America/Phoenix',
  'America/New_York',
  'Europe/Berlin',
  'Europe/London',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'America/Sao_Paulo',
  'Pacific/Kiritimati',
];

const changesOf = new Map<string, number[]>();

/** Instants within a day and a half of a change of the clocks. */
function nearChange(zone: string, atMs: number): boolean {
  const changes =
    changesOf.get(zone) ?? changesBetween(zone, Date.UTC(2020, 0), Date.UTC(2062, 0)).map((change) => change.atMs);
  changesOf.set(zone, changes);
  return changes.some((change) => Math.abs(change - atMs) <= 36 * HOUR);
}

const FROM = Date.UTC(2021, 0) / 1000;
const UNTIL = Date.UTC(2035, 0) / 1000;

const instants = fc.oneof(
  fc.integer({ min: FROM, max: UNTIL }),
  // Exactly at full minutes, hours and days too, where "strictly after" matters.
  fc.integer({ min: FROM / 60, max: UNTIL / 60 }).map((minutes) => minutes * 60),
  fc.integer({ min: FROM / 3600, max: UNTIL / 3600 }).map((hours) => hours * 3600),
  fc.integer({ min: (FROM * 1000) / DAY, max: (UNTIL * 1000) / DAY }).map((days) => (days * DAY) / 1000),
);

const cases: fc.Arbitrary<Case> = fc.record({
  fields: fieldsArbitrary,
  zone: fc.constantFrom(...ZONES),
  afterSeconds: instants,
});

function described({ fields, zone, afterSeconds }: Case): string {
  return `${listed(fields).join(' ')} in ${zone} after ${new Date(afterSeconds * 1000).toISOString()}`;
}

describe.skipIf(reason !== undefined)('next due instants', () => {
  it('are those of Celery, away from changes of the clocks', async () => {
    const all = fc.sample(cases, { seed: SEED, numRuns: SAMPLES });
    const answers = await askCelery<{ next?: number; error?: string }>(
      all.map((each) => ({ ask: 'next', fields: listed(each.fields), zone: each.zone, after: each.afterSeconds })),
    );
    const differences: string[] = [];
    let excluded = 0;
    let compared = 0;
    for (const [index, each] of all.entries()) {
      const ours = nextDueMs(crontab({ ...each.fields }, { timezone: each.zone }), each.afterSeconds * 1000);
      const theirs = answers[index]?.next;
      // Near a change we differ on purpose: Celery adds wall clock time, and so loses half hours in a fold.
      const near = [each.afterSeconds, theirs ?? 0, (ours ?? 0) / 1000].some((at) => nearChange(each.zone, at * 1000));
      if (near) excluded += 1;
      else if (ours === (theirs === undefined ? undefined : theirs * 1000)) compared += 1;
      else differences.push(`${described(each)}: ${ours ?? 'never'}, Celery ${JSON.stringify(answers[index])}`);
    }
    expect(differences).toEqual([]);
    expect(excluded).toBeLessThan(all.length / 10);
    expect(compared).toBeGreaterThan(0.75 * SAMPLES);
  });
});

const FIELDS = Object.keys(CRONTAB_FIELDS) as CrontabField[];

/** Words and signs of the grammar, put together well or badly. */
const fieldTexts: fc.Arbitrary<string> = fc.oneof(
  fieldsArbitrary.chain((fields) => fc.constantFrom(...listed(fields))),
  fc
    .array(
      fc.oneof(
        fc.integer({ min: 0, max: 70 }).map(String),
        fc.constantFrom(
          ...MONTH_NAMES,
          ...WEEKDAY_NAMES,
          'Sunday',
          'MONDAY',
          'March',
          'september',
          'mo',
          'x',
          'L',
          '15W',
        ),
        fc.constantFrom('*', '-', '-', ',', ',', '/', '/', '?', '#', ' ', '00', '07'),
      ),
      { minLength: 1, maxLength: 6 },
    )
    .map((words) => words.join('')),
);

function ourValues(text: string, field: CrontabField): readonly number[] | null {
  try {
    return parseField(fieldText(text, field), field);
  } catch {
    return null;
  }
}

/**
 * Where we differ on purpose: names belong to their own field and are written out as far as they go, and
 * what stands after a range, a step or a name is an error (Celery does not look at it). We allow blanks around commas.
 */
function differsOnPurpose(text: string, field: CrontabField, celeryAccepts: boolean): boolean {
  const { names } = CRONTAB_FIELDS[field];
  const words = (text.match(/[a-z]\w*/gi) ?? []).map((word) => word.toLowerCase());
  const foreign = words.some((word) => word.length < 3 || !names.some((name) => name.startsWith(word)));
  const parts = text.split(',');
  const tail = parts.some((part) => /^(\w+-\w+(\/\w+)?|\*\/\w+|[a-z]{3}\w*(?!-\w))\W/i.test(part));
  return celeryAccepts ? foreign || tail : parts.some((part) => part !== part.trim());
}

describe.skipIf(reason !== undefined)('field texts', () => {
  it('have the values of Celery, or are refused by both', async () => {
    const texts = fc.sample(fieldTexts, { seed: SEED, numRuns: TEXTS });
    const answers = await askCelery<{ values: (number[] | null)[] }>(
      texts.map((text) => ({ ask: 'values', fields: FIELDS.map(() => text) })),
    );
    const differences: string[] = [];
    const counts = { accepted: 0, refused: 0, onPurpose: 0 };
    for (const [index, text] of texts.entries()) {
      for (const [column, field] of FIELDS.entries()) {
        const ours = ourValues(text, field);
        const theirs = answers[index]?.values[column] ?? null;
        if (JSON.stringify(ours) === JSON.stringify(theirs)) counts[ours === null ? 'refused' : 'accepted'] += 1;
        else if ((ours === null) !== (theirs === null) && differsOnPurpose(text, field, theirs !== null))
          counts.onPurpose += 1;
        else differences.push(`${field} '${text}': ${JSON.stringify(ours)}, Celery ${JSON.stringify(theirs)}`);
      }
    }
    expect(differences).toEqual([]);
    // Of five fields each.
    expect(counts.accepted).toBeGreaterThan(TEXTS);
    expect(counts.refused).toBeGreaterThan(TEXTS);
    expect(counts.onPurpose).toBeLessThan(TEXTS);
  });
});
