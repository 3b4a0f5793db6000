import type { MediaRelay, MediaSession } from '../../src/media/types.js';

type Verb = 'offer' | 'answer';

/** One description that waits in the middle. */
export interface Held {
  /** Resolves when it is there. */
  readonly reached: Promise<void>;
  release(): void;
}

/** A relay that holds a description when the test says so, so that something else is certain to come before it goes on. */
export class HeldRelay implements MediaRelay {
  private next: { verb: Verb; reached: () => void; released: Promise<void> } | undefined;

  /** `real` does the work; it is closed with this one. */
  constructor(private readonly real: MediaRelay) {}

  /** Holds the next offer, or the next answer, of any call. */
  hold(verb: Verb): Held {
    let reached = (): void => {};
    let release = (): void => {};
    const whenReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.next = { verb, reached, released };
    return { reached: whenReached, release };
  }

  open(id: string): MediaSession {
    const session = this.real.open(id);
    const held =
      (verb: Verb): MediaSession[Verb] =>
      async (...description) => {
        await this.pass(verb);
        return session[verb](...description);
      };
    return {
      offer: held('offer'),
      answer: held('answer'),
      stats: () => session.stats(),
      close: () => session.close(),
    };
  }

  health(): ReturnType<MediaRelay['health']> {
    return this.real.health();
  }

  close(): Promise<void> {
    return this.real.close();
  }

  private async pass(verb: Verb): Promise<void> {
    if (this.next?.verb !== verb) return;
    const { reached, released } = this.next;
    this.next = undefined;
    reached();
    await released;
  }
}
