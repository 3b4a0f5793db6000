/** Replies kept, so that a flood of commands cannot grow the cache. */
const MAX_REPLIES = 4_096;
/** How long a repeated cookie gets the old reply, milliseconds; longer than any client repeats. */
const KEEP_MS = 30_000;

/** Gives a repeated cookie the reply of its first command, so that a lost reply never runs a command twice. */
export class ReplyCache {
  private readonly replies = new Map<string, { reply: Promise<string>; atMs: number }>();

  /** The reply for `cookie`; `run` is called only when none is remembered. */
  reply(cookie: string, nowMs: number, run: () => Promise<string>): Promise<string> {
    const known = this.replies.get(cookie);
    if (known && nowMs - known.atMs <= KEEP_MS) return known.reply;
    this.replies.delete(cookie);
    this.forget(nowMs);
    const reply = run();
    this.replies.set(cookie, { reply, atMs: nowMs });
    return reply;
  }

  /** Drops what is too old or too many; the map is in the order of arrival. */
  private forget(nowMs: number): void {
    for (const [cookie, entry] of this.replies) {
      if (nowMs - entry.atMs <= KEEP_MS && this.replies.size < MAX_REPLIES) return;
      this.replies.delete(cookie);
    }
  }
}
