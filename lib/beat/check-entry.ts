/** What only an app can say of an entry: whether its task exists, takes its arguments and can be sent. */
import { InvalidSchedule } from '../errors.ts';
import { argumentsOf, type Producer, validateArguments } from '../producer.ts';
import type { ScheduleEntry } from '../schedules/entry.ts';
import { prepareTick } from './tick.ts';

/**
 * Everything that can be said at once. Schemas may answer later; see `checkArguments`.
 *
 * @throws InvalidSchedule for an unknown task; what a call throws for an unknown queue, options, size.
 */
export function checkEntry(entry: ScheduleEntry, producer: Producer): void {
  const { task, subtask_type: composite } = entry.signature;
  if (composite !== null)
    throw new InvalidSchedule(
      `entry '${entry.name}': a ${composite} cannot be scheduled; schedule a task that starts it.`,
    );
  if (!entry.customTask && producer.registry.find(task) === undefined) {
    const known = producer.registry.all().map((definition) => definition.name);
    throw new InvalidSchedule(
      `entry '${entry.name}': task '${task}' is not registered here. Registered are: ${known.join(', ') || 'none'}. Declare it before the entry, or say customTask: true for a task that runs elsewhere.`,
    );
  }
  prepareTick(producer, entry, producer.clock.nowMs(), 0);
}

/** The entry with its arguments as the task's schema returns them. @throws InvalidArguments */
export async function checkArguments(entry: ScheduleEntry, producer: Producer): Promise<ScheduleEntry> {
  const definition = producer.registry.find(entry.signature.task);
  if (definition?.options.schema === undefined) return entry;
  const args = await validateArguments(definition, entry.signature.args);
  return { ...entry, signature: { ...entry.signature, args } };
}

/** The same where the schema answers at once; one that does not is asked again when the tick is sent. */
export function checkArgumentsNow(entry: ScheduleEntry, producer: Producer): ScheduleEntry {
  const definition = producer.registry.find(entry.signature.task);
  const schema = definition?.options.schema;
  if (definition === undefined || schema === undefined) return entry;
  const result = schema['~standard'].validate([...entry.signature.args]);
  if (result instanceof Promise) return entry;
  return { ...entry, signature: { ...entry.signature, args: argumentsOf(definition, result) } };
}
