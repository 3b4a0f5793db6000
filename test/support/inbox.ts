/** What arrived and was not looked at yet; a test awaits the next item, and fails when it does not come. */
export class Inbox<T> {
  private readonly items: T[] = [];
  private readonly waiting: ((item: T) => void)[] = [];

  /** Items not taken yet. */
  get size(): number {
    return this.items.length;
  }

  push(item: T): void {
    const taker = this.waiting.shift();
    if (taker) taker(item);
    else this.items.push(item);
  }

  /** The next item; rejects when none comes within `timeoutMs`. */
  next(timeoutMs = 3000): Promise<T> {
    const item = this.items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve, reject) => {
      const taker = (taken: T): void => {
        clearTimeout(timer);
        resolve(taken);
      };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(taker), 1);
        reject(new Error(`nothing arrived within ${timeoutMs} ms`));
      }, timeoutMs);
      this.waiting.push(taker);
    });
  }
}
