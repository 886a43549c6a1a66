/** A task as people read it, and its state as an exit code. */
import { IGNORED, isFinal, REVOKED, SUCCESS } from '../base/states.ts';
import type { TaskSummary } from '../operate/task-summary.ts';
import { span } from './format.ts';
import { printable } from './output.ts';
import type { Style, Terminal } from './terminal.ts';

/** Ended, and not well. */
export function hasFailed({ state }: TaskSummary): boolean {
  return isFinal(state) && state !== SUCCESS && state !== IGNORED;
}

export function stateStyle(state: string): Style {
  if (state === SUCCESS) return 'green';
  return isFinal(state) && state !== IGNORED ? 'red' : 'yellow';
}

/** `FAILURE  TypeError: total is undefined  after 3 attempts, 4 s ago, took 38 ms`, and its result below. */
export function taskText(task: TaskSummary, { utc = false }: { readonly utc?: boolean }, terminal: Terminal): string {
  const { state, error, name, retries, started, finished } = task;
  const nowMs = terminal.clock.nowMs();
  const facts = [
    ...(retries === undefined || retries === 0 ? [] : [`after ${retries + 1} attempts`]),
    ...(finished === undefined ? [] : [utc ? finished.toISOString() : `${span(nowMs - finished.getTime())} ago`]),
    ...(started === undefined || finished === undefined
      ? []
      : [`took ${span(finished.getTime() - started.getTime())}`]),
    ...(started === undefined || finished !== undefined
      ? []
      : [utc ? `began ${started.toISOString()}` : `began ${span(nowMs - started.getTime())} ago`]),
    ...(task.revoked !== undefined && !isFinal(state) ? ['revoked'] : []),
    ...(task.ignored === true ? ['its result is ignored'] : []),
  ];
  const head = [
    terminal.style(stateStyle(state), state),
    ...(name === undefined ? [] : [printable(name)]),
    ...(error === undefined ? [] : [printable(`${error.type}: ${error.message}`)]),
    ...(facts.length === 0 ? [] : [terminal.style('dim', facts.join(', '))]),
  ].join('  ');
  const lines = [
    ...(task.result === undefined ? [] : [printable(JSON.stringify(task.result, null, 2)).replaceAll('\\u000a', '\n')]),
    // Of a revoked one it says where it was revoked from.
    ...(task.traceback === undefined || state === REVOKED ? [] : task.traceback.split('\n').map(printable)),
  ];
  return [head, ...lines].join('\n');
}
