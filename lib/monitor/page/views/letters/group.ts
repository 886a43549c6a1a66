import type { DeadLettersAnswer } from '../../../answers.ts';

/** Letters of one task, one error and one shape of message. */
export type Group = DeadLettersAnswer['groups'][number];
