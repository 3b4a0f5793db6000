import type { Logger } from './logger.js';

/** Something with an owner that ends it. `close` is idempotent and resolves when nothing of it is left. */
export interface Closeable {
  close(): Promise<void>;
}

/** Closes what was started, last first, and goes on when one of them fails. */
export class Lifecycle implements Closeable {
  private readonly parts: { name: string; part: Closeable }[] = [];
  private closing: Promise<void> | undefined;

  constructor(private readonly log: Logger) {}

  /** Takes ownership of `part` and returns it. */
  own<T extends Closeable>(name: string, part: T): T {
    this.parts.push({ name, part });
    return part;
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    for (const { name, part } of this.parts.reverse()) {
      try {
        await part.close();
      } catch (error) {
        this.log.error({ err: error, part: name }, 'closing failed');
      }
    }
  }
}
