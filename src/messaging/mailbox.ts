import { KeyedQueue } from '../platform/keyed-queue.js';
import type { Collection, Json } from '../store/types.js';
import { MessageRefusedError } from './errors.js';
import type { Letter } from './types.js';

/** Most entries of one look into the Store. */
const PAGE = 1000;

/** Messages that wait, in the Store under `recipient/id`; user names hold no slash. Rejects with StoreError when it is away. */
export class Mailbox {
  /** One letter at a time is put in: the limits hold exactly. */
  private readonly queue = new KeyedQueue();

  constructor(
    private readonly collection: Collection,
    private readonly limits: { readonly maxWaiting: number; readonly maxTotal: number },
    private readonly now: () => number,
    /** What waits for a user has changed. */
    private readonly onChange: (recipient: string) => void = () => undefined,
  ) {}

  /** Keeps a letter. Rejects with MessageRefusedError: `mailbox-full`, or `callee-unreachable` where nothing is kept. */
  put(letter: Letter): Promise<void> {
    return this.queue.run('', async () => {
      const { maxWaiting, maxTotal } = this.limits;
      if (maxWaiting === 0) throw new MessageRefusedError('callee-unreachable', 'Temporarily Unavailable');
      const mine = await this.waiting(letter.recipient);
      if (mine.length >= maxWaiting || (await this.collection.count()) >= maxTotal)
        throw new MessageRefusedError('mailbox-full', 'Mailbox Full', { 'Retry-After': 3600 });
      await this.collection.put(keyOf(letter), letter as unknown as Json);
      this.onChange(letter.recipient);
    });
  }

  async has(letter: Letter): Promise<boolean> {
    return (await this.collection.get(keyOf(letter))) !== undefined;
  }

  async remove(letter: Letter): Promise<void> {
    if (await this.collection.remove(keyOf(letter))) this.onChange(letter.recipient);
  }

  /** What waits for a user, oldest first; what has expired is removed on the way. */
  async waiting(username: string): Promise<Letter[]> {
    const limit = Math.min(PAGE, Math.max(1, this.limits.maxWaiting));
    const entries = await this.collection.list({ prefix: `${username}/`, limit });
    return this.live(entries.map(({ value }) => value as unknown as Letter));
  }

  /** Of all users in order of recipient and age, after `after`; what has expired and was not removed yet is among them. */
  async page(options: {
    readonly after?: string;
    readonly limit: number;
  }): Promise<{ key: string; letter: Letter }[]> {
    const entries = await this.collection.list(options);
    return entries.map(({ key, value }) => ({ key, letter: value as unknown as Letter }));
  }

  /** Removes what has expired of all users; resolves how many there were. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (let after: string | undefined; ; ) {
      const page = await this.collection.list({ limit: PAGE, ...(after !== undefined && { after }) });
      const letters = page.map(({ value }) => value as unknown as Letter);
      removed += letters.length - (await this.live(letters)).length;
      if (page.length < PAGE) return removed;
      after = page.at(-1)?.key;
    }
  }

  private async live(letters: readonly Letter[]): Promise<Letter[]> {
    const now = this.now();
    for (const letter of letters) if (letter.expiresAt <= now) await this.remove(letter);
    return letters.filter(({ expiresAt }) => expiresAt > now);
  }
}

function keyOf({ recipient, id }: Letter): string {
  return `${recipient}/${id}`;
}
