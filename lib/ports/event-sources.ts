/** Port of event sources: what feeds a queue's workers, and can be switched off. */

/** `changing`: it was told to, and goes on for a while. */
export type EventSourceState = 'on' | 'off' | 'changing';

/** Event source mappings, by their ids. */
export interface EventSources {
  /** Of each queue and lane that has one, as the service was deployed last. */
  ids(): Promise<Readonly<Record<string, string>>>;
  /** undefined: there is none of this id. */
  state(id: string): Promise<EventSourceState | undefined>;
  /** Takes effect within about a minute. @returns whether there is one of this id */
  set(id: string, enabled: boolean): Promise<boolean>;
}
