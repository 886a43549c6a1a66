/** Why a task stands where it stands, as the API shows it. */
import { explanationText } from '../operate/explain/explanation-text.ts';
import type { Explanation, Reason } from '../operate/explain/reasons.ts';
import type { ExplainView } from './answers.ts';

const TONES: Readonly<Record<Reason['kind'], ExplainView['tone']>> = {
  ended: 'ok',
  expired: 'quiet',
  revoked: 'quiet',
  skipped: 'quiet',
  'dead-lettered': 'bad',
  running: 'work',
  part: 'work',
  'worker-lost': 'warn',
  retry: 'warn',
  slot: 'quiet',
  granted: 'quiet',
  rate: 'quiet',
  delayed: 'quiet',
  debounced: 'quiet',
  unique: 'quiet',
  redriven: 'quiet',
  queued: 'quiet',
  paused: 'warn',
  group: 'quiet',
  unknown: 'quiet',
};
const FAILED: readonly string[] = ['FAILURE', 'REJECTED'];

export function explainView(explanation: Explanation, nowMs: number): ExplainView {
  const { head: text, lines, hints } = explanationText(explanation, { nowMs, utc: false });
  // Instants become text when the answer is written.
  const reasons = explanation.reasons as unknown as ExplainView['reasons'];
  return { text, tone: toneOf(explanation), lines, hints, reasons };
}

/** Of what counts most; a queue that is paused holds up whatever waits in it. */
function toneOf({ reasons }: Explanation): ExplainView['tone'] {
  const [first] = reasons;
  if (first === undefined) return 'quiet';
  if (first.kind === 'ended') return FAILED.includes(first.state) ? 'bad' : 'ok';
  const tone = TONES[first.kind];
  return tone === 'quiet' && reasons.some(({ kind }) => kind === 'paused') ? 'warn' : tone;
}
