import type * as Texts from '../aws/secret-texts.ts';

/** Loaded on demand: most processes sign no addresses. */
export const readSecret: typeof Texts.readSecret = async (...args) =>
  (await import('../aws/secret-texts.ts')).readSecret(...args);
