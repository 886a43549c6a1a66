/** A run of which handlers were told. */
import type { EndDecision } from './decide.ts';

export interface Announced {
  /** How it ended. */
  decided(decision: EndDecision): void;
  /** Tells `taskPostrun`. */
  end(): Promise<void>;
}
