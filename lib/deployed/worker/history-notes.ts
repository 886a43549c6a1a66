import { lazy, once } from '../../base/lazy.ts';
import type * as Whole from '../../worker/history-notes.ts';
import { historyChunk } from '../history-chunk.ts';

export const notesOf: typeof Whole.notesOf = (...args) =>
  lazy(
    'history',
    once(async () => (await historyChunk()).notesOf(...args)),
  );
