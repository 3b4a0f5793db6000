import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { MessageRefusedError } from './errors.js';
import type { Posting, TurnEnd, Turns } from './turns.js';

/** How long senders wait for the phones: a letter that these do not take in time is kept, so that its sender has an answer. */
export class Patience {
  /** What ends the patience of each sender early. */
  private readonly waiting = new Set<() => void>();

  /** `patienceMs`: milliseconds. */
  constructor(
    private readonly turns: Pick<Turns, 'post' | 'save'>,
    private readonly patienceMs: number,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Sends a letter, or keeps it. Rejects with StoreError or MessageRefusedError. */
  async post(posting: Posting): Promise<TurnEnd> {
    const turn = this.turns.post(posting);
    let timer: TimerHandle | undefined;
    let giveUp: (() => void) | undefined;
    const patience = new Promise<TurnEnd>((resolve, reject) => {
      giveUp = () => reject(new MessageRefusedError('server-draining', 'Service Unavailable'));
      this.waiting.add(giveUp);
      timer = this.clock.setTimeout(
        () => this.turns.save(posting).then(() => resolve({ kind: 'stored' }), reject),
        this.patienceMs,
      );
    });
    turn.catch((error: unknown) => this.log.debug({ err: error }, 'a message was not taken'));
    patience.catch(() => undefined);
    try {
      return await Promise.race([turn, patience]);
    } finally {
      this.clock.clearTimeout(timer);
      if (giveUp) this.waiting.delete(giveUp);
    }
  }

  /** The server goes down: who still waits hears 503. */
  giveUp(): void {
    for (const giveUp of this.waiting) giveUp();
  }
}
