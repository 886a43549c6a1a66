/** Switching EventBridge rules. The client is loaded on first use. */
import type * as Client from '@aws-sdk/client-eventbridge';
import { type EventBridge, eventBridge } from '#aws-sdk';
import type { Rules } from '../ports/schedules.ts';
import { ruleName } from '../schedules/rule-name.ts';

type Watch = (client: Client.EventBridgeClient) => Client.EventBridgeClient;

export class EventBridgeRules implements Rules {
  readonly #prefix: string;
  readonly #watch: Watch;
  #held: { client: Client.EventBridgeClient | undefined };

  constructor(prefix: string, client?: Client.EventBridgeClient, watch: Watch = (given) => given) {
    this.#prefix = prefix;
    this.#held = { client };
    this.#watch = watch;
  }

  /** The same rules over the same client, seen through `watch`. */
  watched(watch: Watch): EventBridgeRules {
    const rules = new EventBridgeRules(this.#prefix, undefined, watch);
    // Whichever of them connects first.
    rules.#held = this.#held;
    return rules;
  }

  async isEnabled(entry: string): Promise<boolean | undefined> {
    const { sdk, client } = await this.#connect();
    try {
      const { State } = await client.send(new sdk.DescribeRuleCommand({ Name: ruleName(this.#prefix, entry) }));
      return State !== 'DISABLED';
    } catch (error) {
      if (error instanceof sdk.ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  async setEnabled(entry: string, enabled: boolean): Promise<void> {
    const { sdk, client } = await this.#connect();
    const input = { Name: ruleName(this.#prefix, entry) };
    await client.send(enabled ? new sdk.EnableRuleCommand(input) : new sdk.DisableRuleCommand(input));
  }

  async #connect(): Promise<{ readonly sdk: EventBridge; readonly client: Client.EventBridgeClient }> {
    const sdk = await eventBridge();
    this.#held.client ??= new sdk.EventBridgeClient({});
    return { sdk, client: this.#watch(this.#held.client) };
  }
}
