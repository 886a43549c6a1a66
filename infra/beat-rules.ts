/** EventBridge rules for the entries that a rule expresses exactly. They send to SQS themselves: no function runs. */
import { Annotations, Stack, Token, Validations } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { EVENTBRIDGE_MAX_EVENT_AGE_SECONDS, EVENTBRIDGE_MIN_EVENT_AGE_SECONDS } from '../lib/base/limits.ts';
import type { BeatManifest } from '../lib/options/manifest.ts';
import { TIME_VARIABLE } from '../lib/schedules/eventbridge.ts';
import { MAX_RULE_PREFIX_CHARACTERS, ruleName } from '../lib/schedules/rule-name.ts';
import { stableHash } from '../lib/base/ids.ts';
import { systemClock } from '../lib/base/time.ts';
import { beatTable } from './beat-table.ts';
import type { TaskQueues } from './queues.ts';

export interface BeatRulesProps {
  readonly appName: string;
  readonly beat: readonly BeatManifest[];
  readonly queues: TaskQueues;
  /** Where firings go that could not be delivered. */
  readonly missedTicks: Queue;
}

// A tick that is this late is worth little, and the next one may be near; `startingDeadline` overrides it.
const EVENT_AGE_SECONDS = 300;
// An inline policy takes 10,240 characters for all of a role's statements.
const MAX_SINGLE_ARNS = 40;
// With EventBridge's backoff more than that age holds: the age decides.
const RETRY_ATTEMPTS = 20;

export class BeatRules extends Construct {
  /** What the names of the rules begin with. */
  readonly prefix: string;
  /** For rights to switch them: each rule, or a pattern where they are many. */
  readonly ruleArns: readonly string[];

  constructor(scope: Construct, id: string, props: BeatRulesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const unique = stableHash(`${outermost(stack).stackName}/${this.node.path}`).toString(36);
    this.prefix = `celeriac-${props.appName}`.slice(0, MAX_RULE_PREFIX_CHARACTERS - unique.length - 1) + `-${unique}`;
    const arnOf = (resourceName: string): string =>
      stack.formatArn({ service: 'events', resource: 'rule', resourceName });
    const all = arnOf(`${this.prefix}-*`);
    const firedByRule = props.beat.filter((entry) => entry.firedBy === 'rule');
    const single = firedByRule.length <= MAX_SINGLE_ARNS;
    this.ruleArns = single ? firedByRule.map((entry) => arnOf(ruleName(this.prefix, entry.name))) : [all];
    if (!single) acknowledgeRulePattern(this, this.prefix);
    for (const entry of firedByRule) this.#rule(entry, props);
    for (const name of new Set(firedByRule.map((entry) => entry.queue))) {
      if (allow(props.queues.pair(name).queue, all)) continue;
      Annotations.of(this).addWarningV2(
        `celeriac:queuePolicy:${name}`,
        `The policy of queue '${name}' cannot be changed here. It must let events.amazonaws.com call sqs:SendMessage where aws:SourceArn ends in rule/${this.prefix}-*, or ticks of rules are lost.`,
      );
    }
    if (firedByRule.length > 0) allow(props.missedTicks, all);
    this.#annotate(props.beat);
  }

  #rule(entry: BeatManifest, { queues, missedTicks }: BeatRulesProps): void {
    const ageSeconds = entry.startingDeadlineSeconds ?? EVENT_AGE_SECONDS;
    const rule = new CfnRule(this, ruleName('Rule', entry.name), {
      // A name that whoever enables and disables entries at run time can compute.
      name: ruleName(this.prefix, entry.name),
      description: `Schedule entry '${entry.name}'`.slice(0, 512),
      scheduleExpression: entry.expression ?? '',
      state: entry.enabled ? 'ENABLED' : 'DISABLED',
      targets: [
        {
          id: 'Queue',
          arn: queues.pair(entry.queue).queue.queueArn,
          inputTransformer: {
            inputPathsMap: { [TIME_VARIABLE]: '$.time' },
            inputTemplate: entry.template ?? '',
          },
          retryPolicy: {
            maximumRetryAttempts: RETRY_ATTEMPTS,
            maximumEventAgeInSeconds: Math.min(
              EVENTBRIDGE_MAX_EVENT_AGE_SECONDS,
              Math.max(EVENTBRIDGE_MIN_EVENT_AGE_SECONDS, Math.ceil(ageSeconds)),
            ),
          },
          deadLetterConfig: { arn: missedTicks.queueArn },
        },
      ],
    });
    // A rule that fires before the policy stands would lose its tick.
    rule.node.addDependency(queues.pair(entry.queue).queue);
  }

  #annotate(beat: readonly BeatManifest[]): void {
    if (beat.length === 0) return;
    Annotations.of(this).addInfoV2('celeriac:beat', beatTable(beat, systemClock.nowMs()));
    const fallen = beat.filter((entry) => /^(?:more (?:than (?!0 )|rules)|a message of)/.test(entry.reason));
    if (fallen.length > 0) {
      Annotations.of(this).addWarningV2(
        'celeriac:beatFallback',
        `${fallen.length} schedule entries could be rules and are swept: ${fallen.map((entry) => `${entry.name} (${entry.reason})`).join(', ')}.`,
      );
    }
  }
}

/** cdk-nag asks for a word on this very pattern, in the sweeper's policy and in that of whoever may switch rules. */
export function acknowledgeRulePattern(scope: Construct, prefix: string): void {
  const stack = Stack.of(scope);
  const shown = (value: string, name: string): string => (Token.isUnresolved(value) ? `<AWS::${name}>` : value);
  const pattern = stack.formatArn({
    partition: shown(stack.partition, 'Partition'),
    region: shown(stack.region, 'Region'),
    account: shown(stack.account, 'AccountId'),
    service: 'events',
    resource: 'rule',
    resourceName: `${prefix}-*`,
  });
  Validations.of(scope.node.root).acknowledge({
    id: `AwsSolutions::AwsSolutions-IAM5[Resource::${pattern}]`,
    reason: `The service's own rules, and no others, begin with it; a policy has no room for more than ${MAX_SINGLE_ARNS} names.`,
  });
}

/** A nested stack's own name is known only after its deployment; its path tells it from others. */
function outermost(stack: Stack): Stack {
  return stack.nestedStackParent === undefined ? stack : outermost(stack.nestedStackParent);
}

/** One statement for all rules: one for each would burst the policy at about nineteen. */
function allow(queue: IQueue, ruleArns: string): boolean {
  const { statementAdded } = queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'ScheduleRules',
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { ArnLike: { 'aws:SourceArn': ruleArns } },
    }),
  );
  return statementAdded;
}
