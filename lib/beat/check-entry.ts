/** What only an app can say of an entry: whether its task exists, takes its arguments and can be sent. */
import { InvalidSchedule, MessageTooLarge } from '../base/errors.ts';
import { encodeJson } from '../wire/json.ts';
import { DYNAMODB_MAX_ITEM_BYTES } from '../base/limits.ts';
import { didYouMean } from '../base/nearest.ts';
import { argumentsOf, validateArguments } from '../producer/arguments.ts';
import type { App } from '../producer/app.ts';
import { refuseMarkedEntry } from '../producer/refuse-marked.ts';
import { named, type ScheduleEntry } from './entry.ts';
import { prepareTick } from './tick.ts';

// What is stored beside the entry itself: the ticks sent ahead, counts, the last error.
const STATE_OVERHEAD_BYTES = 49_152;

/**
 * Everything that can be said at once. Schemas may answer later; see `checkArguments`.
 *
 * @throws InvalidSchedule for an unknown task; what a call throws for an unknown queue, options, size.
 */
export function checkEntry(entry: ScheduleEntry, app: App): void {
  try {
    check(entry, app);
  } catch (error) {
    throw named(entry.name, error);
  }
}

function check(entry: ScheduleEntry, app: App): void {
  const { task, subtask_type: composite } = entry.signature;
  if (composite !== null)
    throw new InvalidSchedule(`task: a ${composite} cannot be scheduled; schedule a task that starts it.`);
  if (!entry.customTask && app.registry.findAnywhere(task) === undefined) {
    const known = app.registry.names();
    throw new InvalidSchedule(
      `task '${task}' is not registered here. Registered are: ${known.join(', ') || 'none'}.${didYouMean(task, known)} Declare it before the entry, name it with app.remote() if it runs elsewhere, or say customTask: true.`,
    );
  }
  refuseMarkedEntry(app, entry.signature);
  prepareTick(app, entry, app.clock.nowMs(), 0);
  const bytes = Buffer.byteLength(encodeJson(entry, 'entry'));
  if (bytes + STATE_OVERHEAD_BYTES > DYNAMODB_MAX_ITEM_BYTES)
    throw new MessageTooLarge(
      `the entry has ${bytes} bytes; ${DYNAMODB_MAX_ITEM_BYTES - STATE_OVERHEAD_BYTES} fit into its DynamoDB item. Pass a reference instead of the data.`,
    );
}

/** The entry with its arguments as the task's schema returns them. @throws InvalidArguments */
export async function checkArguments(entry: ScheduleEntry, app: App): Promise<ScheduleEntry> {
  const definition = app.registry.find(entry.signature.task);
  if (definition?.options.schema === undefined) return entry;
  try {
    return withArguments(entry, await validateArguments(definition, entry.signature.args));
  } catch (error) {
    throw named(entry.name, error);
  }
}

/** The same where the schema answers at once; the worker asks one that does not before each run. */
export function checkArgumentsNow(entry: ScheduleEntry, app: App): ScheduleEntry {
  const definition = app.registry.find(entry.signature.task);
  const schema = definition?.options.schema;
  if (definition === undefined || schema === undefined) return entry;
  try {
    const result = schema['~standard'].validate([...entry.signature.args]);
    return result instanceof Promise ? entry : withArguments(entry, argumentsOf(definition, result));
  } catch (error) {
    throw named(entry.name, error);
  }
}

/** @throws NotSerializable for what a schema made of the arguments. */
function withArguments(entry: ScheduleEntry, args: readonly unknown[]): ScheduleEntry {
  encodeJson(args, 'args');
  return { ...entry, signature: { ...entry.signature, args } };
}
