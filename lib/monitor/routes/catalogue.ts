/** The tasks of a service, with what is known of each. */
import type { App } from '../../producer/app.ts';
import { registeredTasks } from '../../operate/registered.ts';
import { read, type Route } from '../route.ts';
import { CATALOGUE } from '../schemas/queues.ts';
import type { MonitoredService } from '../service.ts';

export const CATALOGUE_ROUTES: readonly Route[] = [
  read('/api/catalogue', {
    summary: 'Tasks: queue, limits, and with the app’s code the schema of their arguments',
    answer: CATALOGUE,
    run: ({ service }) => catalogue(service),
  }),
];

async function catalogue({ app, hasCode, environment, taskNames }: MonitoredService): Promise<unknown> {
  const { rates } = await app.ports();
  const limits = (await rates?.limits()) ?? new Map<string, string>();
  const manifest = hasCode ? app.manifest() : undefined;
  const marked = new Set(environment.markedTasks ?? []);
  return {
    hasCode,
    tasks: registeredTasks(environment, manifest, taskNames).map((task) => {
      const rateLimitNow = limits.get(task.name);
      const schema = schemaOf(app, task.name);
      return {
        ...task,
        marked: marked.has(task.name) || manifest?.tasks[task.name]?.marked === true,
        ...(rateLimitNow === undefined ? {} : { rateLimitNow }),
        ...(schema === undefined ? {} : { schema }),
      };
    }),
  };
}

/** Standard JSON Schema: what newer schema libraries tell of their schemas beside checking. */
function schemaOf({ registry }: Pick<App, 'registry'>, task: string): unknown {
  const standard = registry.find(task)?.options.schema?.['~standard'] as
    | { readonly jsonSchema?: { readonly input?: (options: { readonly target: string }) => unknown } }
    | undefined;
  try {
    return standard?.jsonSchema?.input?.({ target: 'draft-2020-12' });
  } catch {
    // It has no words for a part of it: the form is free text then.
    return undefined;
  }
}
