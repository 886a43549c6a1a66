/** Ports that a wiring left out: they say so when they are needed, and not before. */
import { ImproperlyConfigured } from '../base/errors.ts';
import type { CeleryGroups } from '../ports/celery-groups.ts';
import type { Groups } from '../ports/groups.ts';
import type { Schedules } from '../ports/schedules.ts';

function refuse(port: string): never {
  throw new ImproperlyConfigured(
    `This app is wired without ${port}. Give \`${port}\` to app.use(), or leave app.use() out and let the environment tell.`,
  );
}

/** Nothing is due, and whoever stores an entry is told. */
export function noSchedules(): Schedules {
  return {
    read: (names) => Promise.resolve(names.map(() => undefined)),
    list: () => Promise.resolve([]),
    due: () => Promise.resolve([]),
    write: async () => refuse('schedules'),
    remove: async () => refuse('schedules'),
    dropMarks: () => Promise.resolve(),
  };
}

/** Nobody's groups are known. */
export function noCeleryGroups(): CeleryGroups {
  return {
    define: async () => refuse('celeryGroups'),
    members: () => Promise.resolve(undefined),
    count: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
    forget: () => Promise.resolve(),
  };
}

export function noGroups(): Groups {
  return {
    mark: async () => refuse('groups'),
    count: async () => refuse('groups'),
    define: async () => refuse('groups'),
    definition: async () => refuse('groups'),
    forget: async () => refuse('groups'),
  };
}
