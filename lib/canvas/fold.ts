/** The one place that tells what kinds of signatures there are: whoever goes through a tree says what each kind means to it. */
import type { Signature } from '../wire/signature.ts';
import { chunksGroup } from './build.ts';
import { kindOf } from './parts.ts';

export interface ByKind<R> {
  /** One message: a task, `celery.map` or `celery.starmap`. */
  task(sig: Signature): R;
  chain(sig: Signature): R;
  /** `celery.chunks` too, as the group that it stands for. */
  group(sig: Signature): R;
  chord(sig: Signature): R;
}

/** @throws InvalidSignature for chunks that cannot be read. */
export function fold<R>(sig: Signature, by: ByKind<R>): R {
  const kind = kindOf(sig);
  switch (kind) {
    case 'task':
    case 'map':
    case 'starmap':
      return by.task(sig);
    case 'chain':
      return by.chain(sig);
    case 'group':
      return by.group(sig);
    case 'chunks':
      return by.group(chunksGroup(sig));
    case 'chord':
      return by.chord(sig);
    default:
      return kind satisfies never;
  }
}
