/** A slot from the claim of its attempt to the moment at which it is given back. */
import { errorLine } from '../base/error-text.ts';
import { SLOT_RETENTION_SECONDS } from '../base/limits.ts';
import { isSame } from '../flow/slots.ts';
import type { ClaimOutcome, ClaimRequest, TaskRecord } from '../ports/backend.ts';
import { deliveriesOf } from './attempt.ts';
import { readSettlement } from './committed.ts';
import type { Lease } from '../ports/delivery.ts';
import type { Seated } from './slot-desk.ts';
import type { Leaving } from './slot-pump.ts';
import { orLeased } from './pass-on.ts';
import type { SlotPorts } from './slot-ports.ts';
import type { OwnSeat, Wanted } from './slot-seat.ts';
import type { Worker } from './worker.ts';

/**
 * - `own`: the entry is this delivery's.
 * - `other`: another delivery's, of the same attempt. It may run.
 * - `ended`: nobody may run the attempt any more, and its entry, whoever wrote it, has not been taken away yet.
 * - `left`: there is nothing to give back, or the next part of the attempt is to find the entry.
 */
type State = 'own' | 'other' | 'ended' | 'left';

export class HeldSlot implements Lease {
  readonly #wanted: Wanted;
  readonly #seat: OwnSeat;
  readonly #handOver: (leaving: Leaving) => Promise<void>;
  readonly #ports: SlotPorts;
  /** Somebody may have left its place in the line. */
  #hasPlace: boolean;
  /** It stood in the line itself, and was not sent for from there. */
  readonly #stood: boolean;
  #state: State;
  /** Without a claim: what its attempt ended in is done. */
  #hasEnded = false;
  #renewing: Promise<void> | undefined;

  /** @param giveBack gives slots of its key back, those of a batch together */
  constructor(
    wanted: Wanted,
    seat: OwnSeat,
    seated: Seated,
    giveBack: (leaving: Leaving) => Promise<void>,
    ports: SlotPorts,
  ) {
    this.#handOver = giveBack;
    this.#wanted = wanted;
    this.#seat = seat;
    this.#ports = ports;
    this.#state = seated.kind === 'own' ? 'own' : 'other';
    this.#stood = seated.kind === 'own' && seated.parked;
    this.#hasPlace = this.#stood || deliveriesOf(wanted.message, wanted.delivery) > 1;
  }

  /** The worker, as the attempt is to see it. */
  worker(): Worker {
    const { worker } = this.#wanted;
    return {
      ...worker,
      claim: async (request) => this.#afterClaim(await worker.claim(request), request),
      commit: async (request) => {
        const isPart = !request.final && request.checkpoint !== undefined;
        const state = this.#state;
        // Also where no answer comes: it may stand, and who comes next is this part again, or has the next one to send.
        if (isPart) this.#state = 'left';
        const stands = await worker.commit(request);
        if (!stands) this.#state = state;
        // Before what follows is sent: the next one starts meanwhile.
        else if (!isPart) await this.#end();
        else await this.#leaveToNext();
        return stands;
      },
      leaveSlot: () => {
        worker.leaveSlot?.();
        this.#state = 'left';
      },
      release: async (request) => {
        // The other way round the next delivery could claim first, find no entry to take over, and have come for nothing.
        await this.leave();
        return worker.release(request);
      },
    };
  }

  async #afterClaim(outcome: ClaimOutcome, request: ClaimRequest): Promise<ClaimOutcome> {
    if (outcome.kind === 'claimed') {
      if (this.#state === 'own' || (await this.#takeOver())) return outcome;
      // The slot went between the two writes: not without one.
      await this.#wanted.worker.release(request);
      return { kind: 'busy', leaseMs: request.nowMs, record: { id: request.id, status: 'PENDING' } };
    }
    // The delivery that runs has a slot of its own, and keeps it.
    if (outcome.kind === 'busy') await this.leave();
    else if (outcome.kind === 'finished' && goesOn(outcome.record)) await this.#leaveToNext();
    else await this.#end();
    return outcome;
  }

  /** The entry of a delivery that is known to be dead. */
  async #takeOver(): Promise<boolean> {
    const { holder, mine } = this.#seat;
    const outcome = await this.#ports.slots.write({
      key: this.#wanted.key,
      put: new Map([[holder, mine]]),
      expiresAtSeconds: Math.ceil(mine.leaseMs / 1000) + SLOT_RETENTION_SECONDS,
      when: { present: [holder] },
    });
    if (!outcome.done && !isSame(outcome.seen.holders.get(holder), mine)) {
      this.#state = 'left';
      return false;
    }
    this.#state = 'own';
    // That one may have waited, and is not asked again where its message is this one.
    this.#hasPlace = true;
    return true;
  }

  /** Nobody may run the attempt any more. */
  async #end(): Promise<void> {
    this.#state = 'ended';
    try {
      await this.leave();
    } catch (error) {
      // The outcome stands whatever becomes of the slot; it is tried again when all is done.
      this.#ports.logger.log('warn', `The slot of ${this.#seat.holder} was not given back: ${errorLine(error)}`, {
        key: this.#wanted.key,
      });
    }
  }

  /** Its entry stands, until the next part takes it or its lease ends. */
  async #leaveToNext(): Promise<void> {
    this.#state = 'left';
    if (this.#hasPlace) await this.#ports.slots.unpark(this.#wanted.key, this.#seat);
  }

  /** What its attempt ended in is done, where nothing but that says so: it has no claim and no commit. */
  async unclaimedEnd(): Promise<void> {
    this.#hasEnded = true;
    if (this.#hasPlace) await this.#ports.slots.unpark(this.#wanted.key, this.#seat);
  }

  /** For a process that lives on. @returns false where the slot is somebody else's */
  renew(untilMs: number): Promise<boolean> {
    const renewal = this.#renew(Math.min(untilMs + this.#seat.gapMs, this.#seat.latestMs));
    this.#renewing = renewal.then(
      () => {},
      () => {},
    );
    return renewal;
  }

  async #renew(leaseMs: number): Promise<boolean> {
    const { holder, mine } = this.#seat;
    if (this.#state !== 'own' || leaseMs <= mine.leaseMs) return true;
    const next = { leaseMs, by: mine.by };
    const outcome = await this.#ports.slots.write({
      key: this.#wanted.key,
      put: new Map([[holder, next]]),
      expiresAtSeconds: Math.ceil(leaseMs / 1000) + SLOT_RETENTION_SECONDS,
      when: { same: new Map([[holder, mine]]) },
    });
    const isOurs = outcome.done || isSame(outcome.seen.holders.get(holder), next);
    if (isOurs) this.#seat.mine = next;
    return isOurs;
  }

  /** As `leave()`, for whoever cannot wait until its run has ended. */
  giveBack(): Promise<void> {
    return this.leave();
  }

  /** Gives back what there is to give. */
  async leave(): Promise<void> {
    // What it has is what the renewal under way leaves.
    await this.#renewing;
    const { key } = this.#wanted;
    const { holder, mine } = this.#seat;
    if (this.#state === 'ended') {
      // It has run: nobody needs to send for it any more.
      if (this.#hasPlace) await this.#ports.slots.unpark(key, this.#seat);
      await orLeased(() => this.#handOver({ holder }), this.#ports);
    } else if (this.#state === 'own' && !this.#seat.goesOn)
      // A later part keeps what was left to it: its message comes again.
      await orLeased(
        () =>
          this.#handOver({
            holder,
            entry: mine,
            ...(this.#hasEnded ? { ended: true } : this.#stood ? { stood: true } : {}),
          }),
        this.#ports,
      );
    this.#state = 'left';
  }
}

/** A part has ended, and the next one has not begun. */
function goesOn({ finishedMs, settlement }: TaskRecord): boolean {
  return finishedMs === undefined && readSettlement(settlement).retry?.overrides.part !== undefined;
}
