import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { PARAMETER_VARIABLE } from '../lib/options/service-variable.ts';
import {
  endTasks,
  keepRules,
  readPauses,
  receiveFrom,
  rollUpHistory,
  sendTo,
  showAgain,
  sweepState,
} from './grants.ts';
import { type OperatorsProps, switchSources } from './operators.ts';
import type { PayloadKeys } from './payload-keys.ts';
import { onPayloads } from './payloads.ts';
import type { TaskQueues } from './queues.ts';
import type { TaskTables } from './tables.ts';
import { TaskFunction, type TaskFunctionOptions } from './task-function.ts';
import { SWEEPER_TIMEOUT_SECONDS } from './validate.ts';

export interface SweeperProps extends TaskFunctionOptions {
  readonly queues: TaskQueues;
  readonly tables: TaskTables;
  readonly payloadKeys: PayloadKeys;
  /** Of the rules it keeps as operators switched them. */
  readonly ruleArns: readonly string[];
  readonly missedTicks: IQueue;
  /** Whether the history is kept. */
  readonly noted: boolean;
  /** To keep off what feeds paused queues: which there are, and where the service says so. */
  readonly sources: Pick<OperatorsProps, 'workers' | 'parameterName'>;
}

const MEMORY_MIB = 512;
const LOST_BATCH_SIZE = 10;
const WAKE_BATCH_SIZE = 10;

/** Sends the ticks and timers that come due, every minute and when it is woken up, and gives what no worker ever handled a state and a reason. */
export class Sweeper extends TaskFunction {
  constructor(scope: Construct, id: string, props: SweeperProps) {
    const { queues, tables } = props;
    const { parameterName } = props.sources;
    const wakeUps = queues.wakeUps === undefined ? [] : [queues.wakeUps];
    super(scope, id, {
      ...props,
      handler: 'sweeper',
      description: 'Sends ticks and timers that come due, and concludes tasks that no worker handled',
      timeoutSeconds: SWEEPER_TIMEOUT_SECONDS,
      memoryMiB: props.given.memoryMiB ?? MEMORY_MIB,
      rights: [
        receiveFrom([...queues.lost, ...wakeUps]),
        showAgain(wakeUps),
        sendTo([...queues.targets, ...queues.allDeadLetters]),
        endTasks(tables.results),
        // Arguments of schedule entries may be large, and what a lost task's record holds. Of a lost message it reads nothing but the envelope.
        ...onPayloads(tables, ['messages', 'results'], ['put']),
        ...onPayloads(tables, ['results'], ['get']),
        ...props.payloadKeys.rights(['encrypt', 'decrypt']),
        ...sweepState(tables.state),
        ...(props.noted ? rollUpHistory(tables.state) : []),
        ...keepRules(props.ruleArns),
        readPauses(tables.state),
        ...switchSources(scope, props.sources),
      ],
      environment: parameterName === undefined ? {} : { [PARAMETER_VARIABLE]: parameterName },
    });
    props.payloadKeys.addTo(this.function);
    // None has a maximum of concurrency: with one, Lambda never goes from five pollers to two while a queue is empty.
    // A sweep could ask the lost queues itself, for 9 to 25 cents a month less each. It does not: a bundle that does not load loses its whole
    // backlog at once, which Lambda drains by as many invocations as it takes, and none of them keeps timers waiting or can end a sweep.
    for (const lost of queues.lost)
      this.feedFrom(lost, `${lost.fifo ? 'LostFifo' : 'Lost'}Source`, { batchSize: LOST_BATCH_SIZE });
    if (queues.wakeUps !== undefined) this.feedFrom(queues.wakeUps, 'WakeUpSource', { batchSize: WAKE_BATCH_SIZE });
    this.#everyMinute(props.missedTicks);
  }

  #everyMinute(missedTicks: IQueue): void {
    new Rule(this, 'EveryMinute', {
      description: 'Sends the timers that come due',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(this.function, {
          event: RuleTargetInput.fromObject({ celeriac: 'sweep' }),
          // The next tick does the same work: an old one is worth nothing.
          retryAttempts: 0,
          maxEventAge: Duration.minutes(1),
          deadLetterQueue: missedTicks,
        }),
      ],
    });
  }
}
