/** What a service reads of its props before it makes anything. */
import { ImproperlyConfigured } from '../lib/base/errors.ts';
import type { AppManifest } from '../lib/options/manifest.ts';
import { checkNamedQueues } from '../lib/options/named-queues.ts';

/** @throws ImproperlyConfigured for what is no manifest; QueueNotFound, InvalidOption for a queue in it that is not declared */
export function manifestOf(app: AppManifest | { manifest(): AppManifest }): AppManifest {
  const manifest = 'manifest' in app ? app.manifest() : app;
  const missing = (['name', 'defaultQueue', 'queues', 'tasks', 'timerShards', 'beat'] as const).find(
    (field) => manifest[field] === undefined,
  );
  if (missing === undefined) {
    checkNamedQueues(manifest);
    return manifest;
  }
  throw new ImproperlyConfigured(
    `app: the manifest has no '${missing}'. Give the app itself, or what app.manifest() returns.`,
  );
}

/** The named properties that are there: CDK tells an absent one from an undefined one. */
export function given<T extends object, K extends keyof T>(
  props: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.filter((key) => props[key] !== undefined).map((key) => [key, props[key]])) as {
    [P in K]?: Exclude<T[P], undefined>;
  };
}
