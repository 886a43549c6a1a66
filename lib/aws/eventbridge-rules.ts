/** Switching EventBridge rules. Loaded on demand: only who enables or disables an entry needs the client. */
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-eventbridge';

import type { Rules } from '../ports.ts';
import { ruleName } from '../schedules/rule-name.ts';

export class EventBridgeRules implements Rules {
  readonly #client: EventBridgeClient;
  readonly #prefix: string;

  constructor(prefix: string, client: EventBridgeClient = new EventBridgeClient({})) {
    this.#prefix = prefix;
    this.#client = client;
  }

  async isEnabled(entry: string): Promise<boolean | undefined> {
    try {
      const { State } = await this.#client.send(new DescribeRuleCommand({ Name: ruleName(this.#prefix, entry) }));
      return State !== 'DISABLED';
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async setEnabled(entry: string, enabled: boolean): Promise<void> {
    const Name = ruleName(this.#prefix, entry);
    await this.#client.send(enabled ? new EnableRuleCommand({ Name }) : new DisableRuleCommand({ Name }));
  }
}
