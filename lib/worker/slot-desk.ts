/**
 * A slot for those of a batch that want the same: taken together where slots are free and nobody waits; where not, they
 * wait, in the order in which they came, and their messages go.
 */
import { SLOT_RETENTION_SECONDS, SLOT_ROUNDS } from '../base/limits.ts';
import { freeSlots, isUnchecked, lapsed, leftTo, nextCheckMs, standingOf } from '../flow/slots.ts';
import type { Holder, Parked, Slots, SlotsCondition, SlotsOutcome, SlotsWrite } from '../ports/slots.ts';
import { scheduleCheck } from './slot-schedule.ts';
import { pause, pump } from './slot-pump.ts';
import type { SlotPorts } from './slot-ports.ts';

/** One attempt that wants a slot. */
export interface Seat {
  /** `holderName()` of the attempt. */
  readonly holder: string;
  /** When it came, milliseconds since the epoch; once it is parked, when its attempt first did. */
  readonly sinceMs: number;
  /** What stands in the key's item once it has the slot. */
  readonly mine: Holder;
  /** It has waited, and was sent for: a slot is kept for it. */
  readonly sentFor: boolean;
  /** A part before it may have left it a slot. */
  readonly goesOn: boolean;
  /** Nothing but its entry says that another delivery runs it. */
  readonly unclaimed: boolean;
  /** Its queue. */
  readonly queue: string;
  /** As it waits, under a token of this time. */
  park(token: string): Promise<Parked>;
}

export type Seated =
  /** `parked`: its attempt may have a place in the line. */
  | { readonly kind: 'own'; readonly parked: boolean }
  /** Another delivery of the attempt has the slot, until its lease ends. */
  | { readonly kind: 'other'; readonly leaseMs: number }
  | { readonly kind: 'parked'; readonly token: string }
  /** Too many wanted it at once. */
  | { readonly kind: 'crowded' };

/** Of one key, and one batch. */
export class SlotDesk {
  readonly #key: string;
  readonly #limit: number;
  readonly #ports: SlotPorts;
  readonly #seated = new Map<Seat, Seated>();
  /** Tokens of those that stand in the line. */
  readonly #tokens = new Map<Seat, string>();
  /** Those that have stood in the line, and may have left a place there. */
  readonly #stood = new Set<Seat>();
  #open: Seat[];
  /** How the key stands, as far as is known. */
  #seen: Slots | undefined;

  constructor(key: string, limit: number, seats: readonly Seat[], ports: SlotPorts) {
    this.#key = key;
    this.#limit = limit;
    this.#ports = ports;
    this.#open = seats.toSorted((left, right) => left.sinceMs - right.sinceMs);
  }

  /** What became of each, in the order given. */
  async serve(seats: readonly Seat[]): Promise<Seated[]> {
    for (let round = 0; round < SLOT_ROUNDS && this.#open.length > 0; round += 1) {
      if (round > 1) await pause(this.#ports);
      await this.#round(round === 0);
    }
    return seats.map((seat) => this.#seated.get(seat) ?? { kind: 'crowded' });
  }

  async #round(first: boolean): Promise<void> {
    // What nobody waits for is free most of the time: a failed write tells as much as a read.
    const hopeful =
      first && this.#open.length <= this.#limit && !this.#open.some(({ sentFor, goesOn }) => sentFor || goesOn);
    if (hopeful && (await this.#take(this.#open))) return;
    const slots = this.#seen ?? (await this.#ports.slots.read(this.#key));
    this.#seen = undefined;
    if (!(await this.#classify(slots)) || this.#open.length === 0) return;
    if (slots.line === undefined && freeSlots(slots, this.#limit, this.#ports.clock.nowMs()) > 0)
      await this.#takeFree(slots);
    else await this.#wait(slots);
  }

  /** Those that have a slot already, by whatever way. False where the key has changed meanwhile. */
  async #classify(slots: Slots): Promise<boolean> {
    const nowMs = this.#ports.clock.nowMs();
    const takes = new Map<Seat, Map<string, Holder>>();
    for (const seat of this.#open) {
      const standing = standingOf(slots, seat.holder, seat.mine);
      const left = seat.goesOn && standing.kind === 'none' ? leftTo(seat.holder, slots) : new Map<string, Holder>();
      if (left.size > 0) takes.set(seat, left);
      if (standing.kind === 'own') this.#seat(seat, { kind: 'own', parked: this.#stood.has(seat) });
      if (standing.kind === 'granted') takes.set(seat, new Map([[seat.holder, standing.entry]]));
      if (standing.kind !== 'other') continue;
      const { leaseMs } = standing.entry;
      if (seat.unclaimed && leaseMs < nowMs) takes.set(seat, new Map([[seat.holder, standing.entry]]));
      else if (!(await this.#tellOf(seat, standing.entry))) return false;
      else this.#seat(seat, { kind: 'other', leaseMs });
    }
    if (takes.size === 0) return true;
    const same = new Map([...takes.values()].flatMap((entries) => [...entries]));
    const remove = [...same.keys()].filter((name) => ![...takes.keys()].some(({ holder }) => holder === name));
    await this.#put([...takes.keys()], { same }, remove);
    // The others of the batch go on with how it stands now.
    return false;
  }

  /**
   * Whoever runs the attempt may never have waited, and ends without a look at a line of which it knows nothing: it is told of
   * the place that this one has left there. False where the key has changed meanwhile.
   */
  async #tellOf(seat: Seat, runs: Holder): Promise<boolean> {
    const token = this.#tokens.get(seat);
    if (token === undefined) return true;
    const when = { same: new Map([[seat.holder, runs]]) };
    const outcome = await this.#write({ line: token, limit: this.#limit, when });
    if (!outcome.done) this.#seen = outcome.seen;
    return outcome.done;
  }

  /** As if nobody waited. */
  #take(seats: readonly Seat[]): Promise<boolean> {
    return this.#put(seats, {
      absent: seats.map(({ holder }) => holder),
      atMost: this.#limit - seats.length,
      line: null,
    });
  }

  /** The slots of the dead among them. Nobody waits. */
  async #takeFree(slots: Slots): Promise<void> {
    const dead = lapsed(slots, this.#ports.clock.nowMs());
    const seats = this.#open.slice(0, this.#limit - slots.holders.size + dead.size);
    const absent = seats.map(({ holder }) => holder);
    const atMost = this.#limit - seats.length + dead.size;
    await this.#put(seats, { same: dead, absent, atMost, line: null }, [...dead.keys()]);
  }

  async #put(seats: readonly Seat[], when: SlotsCondition, remove: readonly string[] = []): Promise<boolean> {
    const outcome = await this.#write({
      put: new Map(seats.map(({ holder, mine }) => [holder, mine])),
      remove,
      limit: this.#limit,
      when,
    });
    if (!outcome.done) {
      this.#seen = outcome.seen;
      return false;
    }
    for (const seat of seats) this.#seat(seat, { kind: 'own', parked: this.#stood.has(seat) });
    return true;
  }

  // ---------------------------------------------------------------- waiting

  async #wait(slots: Slots): Promise<void> {
    const token = await this.#stand(slots.line === undefined);
    const nowMs = this.#ports.clock.nowMs();
    if (freeSlots(slots, this.#limit, nowMs) > 0) {
      const here = new Map(this.#open.map(({ holder, mine }) => [holder, mine]));
      // Whoever is first gets them: one of these, perhaps.
      await pump({ key: this.#key, limit: this.#limit, here }, this.#ports);
      return;
    }
    const checks = isUnchecked(slots, nowMs);
    const dueMs = nextCheckMs(slots, nowMs);
    if (checks) await scheduleCheck(this.#key, dueMs, this.#open[0]?.queue ?? '', this.#ports);
    const outcome = await this.#write({
      line: token,
      ...(checks ? { checkMs: dueMs } : {}),
      limit: this.#limit,
      when: {
        atLeast: this.#limit,
        absent: this.#open.map(({ holder }) => holder),
        checkMs: slots.checkMs ?? null,
      },
    });
    if (outcome.done || outcome.seen.line === token) {
      for (const seat of this.#open) this.#seat(seat, { kind: 'parked', token });
      return;
    }
    this.#seen = outcome.seen;
    await this.#forgetReplaced();
  }

  /** Each stands in the line, all under the same token, which is given. The first ones note that there is one. */
  async #stand(begins: boolean): Promise<string> {
    const [known] = this.#open.map((seat) => this.#tokens.get(seat));
    if (known !== undefined && this.#open.every((seat) => this.#tokens.get(seat) === known)) return known;
    // Never an earlier one: whoever has seen that one may take the line, or the place, away.
    const token = this.#ports.ids.next();
    const parked = await Promise.all(this.#open.map((seat) => seat.park(token)));
    await this.#ports.slots.park(this.#key, parked, begins ? this.#ports.clock.nowMs() : undefined);
    for (const seat of this.#open) {
      this.#tokens.set(seat, token);
      this.#stood.add(seat);
    }
    return token;
  }

  /** Another delivery of the attempt stands in its place, or it was sent for and is gone: it begins anew. */
  async #forgetReplaced(): Promise<void> {
    await Promise.all(
      [...this.#tokens].map(async ([seat, token]) => {
        const parked = await this.#ports.slots.parked(this.#key, seat);
        if (parked?.token !== token) this.#tokens.delete(seat);
      }),
    );
  }

  #seat(seat: Seat, seated: Seated): void {
    this.#seated.set(seat, seated);
    this.#open = this.#open.filter((other) => other !== seat);
  }

  #write(write: Omit<SlotsWrite, 'key' | 'expiresAtSeconds'>): Promise<SlotsOutcome> {
    const latestMs = Math.max(this.#ports.clock.nowMs(), ...[...(write.put ?? [])].map(([, { leaseMs }]) => leaseMs));
    const expiresAtSeconds = Math.ceil(latestMs / 1000) + SLOT_RETENTION_SECONDS;
    return this.#ports.slots.write({ key: this.#key, expiresAtSeconds, ...write });
  }
}
