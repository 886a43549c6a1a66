/**
 * The history of a worker process, written in one item for all that ended within a second. A message is deleted once its end is
 * written down; its place is free before that. Ends that a killed process had not written come again, and their settling writes them.
 */
import type { Delivery } from '../ports/delivery.ts';
import type { History } from '../ports/history.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import type { EndNotes } from '../worker/end-notes.ts';
import { notesOf } from '../worker/history-notes.ts';

/** Longer saves little: the sweeper counts a minute some seconds after its end, and whatever comes later costs more. */
const SHARED_MS = 1000;
/** So many messages at most wait for their deletion, and are settled again should the process be killed. */
const SHARED_ENDS = 100;

type NotesPorts = Pick<Ports, 'clock' | 'logger' | 'notify'> & { readonly history: History };
type NotesApp = Pick<App, 'settings' | 'registry'>;

/** What ends until it is written. */
interface Page {
  readonly notes: EndNotes;
  readonly written: Promise<readonly string[]>;
  readonly write: () => void;
  ends: number;
}

/** @param name of the process, in the items' keys. @returns undefined where no history is kept */
export function sharedNotes(
  app: NotesApp,
  { clock, logger, history, notify }: Pick<Ports, 'clock' | 'logger' | 'history' | 'notify'>,
  name: string,
): SharedNotes | undefined {
  if (app.settings.history === 'off' || history === undefined) return undefined;
  return new SharedNotes(app, { clock, logger, history, notify }, name);
}

export class SharedNotes {
  readonly #app: NotesApp;
  readonly #ports: NotesPorts;
  readonly #name: string;
  #page: Page | undefined;
  #count = 0;
  #hurries = false;

  constructor(app: NotesApp, ports: NotesPorts, name: string) {
    this.#app = app;
    this.#ports = ports;
    this.#name = name;
  }

  /** From now on each end is written at once. */
  hurry(): void {
    this.#hurries = true;
    this.#page?.write();
  }

  /**
   * For one delivery.
   *
   * @param over called once nothing of it is left but to write its end; absent where others wait until it is deleted: it is
   *   written at once
   */
  of({ messageId }: Delivery, over: (() => void) | undefined): EndNotes {
    const pages = new Set<Page>();
    const page = (): Page => {
      const current = this.#open();
      current.ends += 1;
      pages.add(current);
      return current;
    };
    return {
      note: (...told) => page().notes.note(...told),
      noteConcluded: (...told) => page().notes.noteConcluded(...told),
      storeConcluded: (...told) => this.#newNotes().storeConcluded(...told),
      write: async () => {
        for (const each of pages) if (over === undefined || this.#hurries || each.ends >= SHARED_ENDS) each.write();
        over?.();
        const again = await Promise.all([...pages].map(({ written }) => written));
        return again.flat().filter((id) => id === messageId);
      },
    };
  }

  #open(): Page {
    if (this.#page !== undefined) return this.#page;
    const notes = this.#newNotes();
    const { promise: written, resolve } = Promise.withResolvers<readonly string[]>();
    const page: Page = {
      notes,
      written,
      write: () => {
        cancel();
        if (this.#page !== page) return;
        this.#page = undefined;
        resolve(notes.write());
      },
      ends: 0,
    };
    const cancel = this.#ports.clock.schedule(SHARED_MS, page.write);
    this.#page = page;
    return page;
  }

  #newNotes(): EndNotes {
    this.#count += 1;
    const { settings } = this.#app;
    return notesOf(settings.history, this.#ports, `${this.#name}/history-${this.#count}`, this.#app);
  }
}
