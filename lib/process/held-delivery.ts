/**
 * One message in the hands of a worker process: hidden from others, its claim renewed and its slots with it, for as long as
 * its task takes. What was not renewed in time is somebody else's, and its outcome is dropped.
 */
import { errorLine } from '../base/error-text.ts';
import { CLOCK_SKEW_SECONDS, PROCESS_VISIBILITY_MARGIN_SECONDS } from '../base/limits.ts';
import type { Settings } from '../options/settings.ts';
import type { ClaimRequest } from '../ports/backend.ts';
import type { Delivery, Lease, LeaseKeeper } from '../ports/delivery.ts';
import type { Leases } from '../ports/leases.ts';
import type { Ports } from '../ports/ports.ts';
import { recordExpiresAtSeconds } from '../worker/record-expiry.ts';

export interface HoldingParts {
  readonly ports: Ports;
  readonly leases: Leases;
  readonly leaseSeconds: number;
  readonly settings: Pick<Settings, 'queues' | 'resultExpiresSeconds'>;
}

/** Its claim, while its task runs. */
type Claim = Pick<ClaimRequest, 'id' | 'attempt' | 'owner' | 'name' | 'leaseMs'>;

export class HeldDelivery implements LeaseKeeper {
  readonly delivery: Delivery;
  readonly leaseMs: number;
  readonly #parts: HoldingParts;
  readonly #slots = new Set<Lease>();
  #claim: Claim | undefined;
  /** False once somebody has said when it is to come again. */
  #hidden = true;
  readonly #lost = new AbortController();

  constructor(delivery: Delivery, parts: HoldingParts) {
    this.delivery = delivery;
    this.leaseMs = parts.leaseSeconds * 1000;
    this.#parts = parts;
  }

  /** Nothing of it may be written any more. */
  get isLost(): boolean {
    return this.#lost.signal.aborted;
  }

  onLost(callback: () => void): void {
    if (this.isLost) callback();
    else this.#lost.signal.addEventListener('abort', callback, { once: true });
  }

  // ------------------------------------------------------------ what it holds

  /** Until when a claim of now holds, and its record: a run may take longer than results are kept. */
  leaseFrom(nowMs: number): { readonly leaseMs: number; readonly expiresAtSeconds: number } {
    const leaseMs = nowMs + this.leaseMs + CLOCK_SKEW_SECONDS * 1000;
    return { leaseMs, expiresAtSeconds: recordExpiresAtSeconds(leaseMs, this.delivery.queue, this.#parts.settings) };
  }

  claimed(claim: Claim): void {
    this.#claim = claim;
  }

  /** It is committed or given back next: a renewal that is refused from now on tells nothing. */
  letGo(): void {
    // What was stopped is given back yet.
    if (!this.isLost) this.#claim = undefined;
  }

  /** When it is to come again is said: it is hidden no longer than that. */
  shown(): void {
    this.#hidden = false;
  }

  keep(lease: Lease): () => void {
    this.#slots.add(lease);
    return () => {
      this.#slots.delete(lease);
    };
  }

  // ----------------------------------------------------------------- renewing

  /** Says that it is still in hand. Never throws. */
  async beat(): Promise<void> {
    if (this.isLost) return;
    const slots = [...this.#slots].map((slot) => this.#renewSlot(slot));
    await Promise.all([this.#hide(), this.#renewClaim(), ...slots]);
  }

  async #hide(): Promise<void> {
    if (!this.#hidden) return;
    const { queue, receipt } = this.delivery;
    const seconds = this.#parts.leaseSeconds + PROCESS_VISIBILITY_MARGIN_SECONDS;
    // Seen by another worker it is found to be claimed, and waits for its lease.
    await this.#try('hidden for longer', () => this.#parts.ports.broker.changeVisibility(queue, receipt, seconds));
  }

  async #renewClaim(): Promise<void> {
    const claim = this.#claim;
    if (claim === undefined) return;
    const { clock } = this.#parts.ports;
    const lease = this.leaseFrom(clock.nowMs());
    const { id, attempt, owner } = claim;
    const renewed = await this.#try('renewed', () => this.#parts.leases.renew({ id, attempt, owner, ...lease }));
    // Let go meanwhile it is not lost.
    if (this.#claim !== claim) return;
    if (renewed === true) this.#claim = { ...claim, leaseMs: lease.leaseMs };
    else if (renewed === false || clock.nowMs() >= claim.leaseMs) this.#lose();
  }

  async #renewSlot(slot: Lease): Promise<void> {
    const untilMs = this.#parts.ports.clock.nowMs() + this.leaseMs + CLOCK_SKEW_SECONDS * 1000;
    const renewed = await this.#try('renewed', () => slot.renew(untilMs));
    if (renewed === false && this.#slots.has(slot)) this.#lose();
  }

  /** Undefined where nobody answers: the next one may be in time. */
  async #try<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      this.#log('warn', `was not ${what}: ${errorLine(error)}`);
      return undefined;
    }
  }

  #lose(): void {
    if (this.isLost) return;
    this.#lost.abort();
    this.#log('error', 'was not renewed in time, or taken away: what it still does is dropped');
  }

  #log(level: 'info' | 'warn' | 'error', what: string, claim: Claim | undefined = this.#claim): void {
    const { queue, messageId } = this.delivery;
    const subject = claim === undefined ? `Message ${messageId}` : `Task ${claim.name}[${claim.id}]`;
    this.#parts.ports.logger.log(level, `${subject} ${what}`, { queue });
  }

  // -------------------------------------------------------------- giving back

  /** The process ends: nothing of it is written from now on, and its `signal` aborts, so that it can end what it has begun elsewhere. */
  stop(): void {
    this.#lost.abort();
  }

  /**
   * It does not end here: the next worker has it at once. Nothing of it is written from now on.
   *
   * @param again whether a task that has begun may run again
   */
  async handBack(again: (task: string) => boolean): Promise<void> {
    const claim = this.#claim;
    const slots = [...this.#slots];
    this.stop();
    this.#slots.clear();
    this.#claim = undefined;
    const { broker, backend, clock } = this.#parts.ports;
    let seconds = 0;
    if (claim !== undefined && !again(claim.name)) {
      // `acksLate: false`: whoever gets it once its lease is over finds that its worker has ended.
      seconds = Math.max(0, Math.ceil((claim.leaseMs - clock.nowMs()) / 1000) + 1);
    } else {
      // First the slots: whoever finds the claim free takes one of its own.
      for (const slot of slots) await this.#try('given back', () => slot.giveBack());
      if (claim !== undefined) {
        const { id, attempt, owner } = claim;
        await this.#try('given back', () => backend.release({ id, attempt, owner }));
        this.#log('info', 'goes back, to run again elsewhere', claim);
      }
    }
    if (!this.#hidden) return;
    const { queue, receipt } = this.delivery;
    await this.#try('shown again', () => broker.changeVisibility(queue, receipt, seconds));
  }
}
