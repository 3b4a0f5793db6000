import { setImmediate as nextTurn } from 'node:timers/promises';
import { MAX_KEYS_PER_TURN, MAX_TYPE_AHEAD_KEYS } from '../limits.js';
import type { Key } from './key-decoder.js';

/**
 * Keys that nobody has asked for yet. Asks its owner to stop reading when there are too many, and hands out so many in one
 * turn of the event loop: calls are served on the same thread.
 */
export class KeyQueue {
  private keys: Key[] = [];
  private head = 0;
  private waiter: ((key: Key | undefined) => void) | undefined;
  private closed = false;
  private finished = false;
  private isFull = false;
  /** Keys handed out in this turn of the event loop, or in several that were shorter. */
  private taken = 0;

  constructor(private readonly flow: { pause(): void; resume(): void }) {}

  get isEmpty(): boolean {
    return this.head === this.keys.length;
  }

  /** Whether a whole line is here, or more than any line may be. */
  get holdsLine(): boolean {
    return (
      this.isFull || this.keys.some((key, i) => i >= this.head && key.kind === 'key' && key.name === 'enter')
    );
  }

  push(keys: readonly Key[]): void {
    if (this.closed) return;
    for (const key of keys) this.keys.push(key);
    this.serve();
    if (!this.isFull && this.keys.length - this.head > MAX_TYPE_AHEAD_KEYS) {
      this.isFull = true;
      this.flow.pause();
    }
  }

  /** The next key if it is here already and this turn has room for it; spares a flood of keys a promise each. */
  poll(): Key | undefined {
    return this.taken < MAX_KEYS_PER_TURN ? this.take() : undefined;
  }

  /** The next key; undefined once closed. One caller at a time. */
  async next(): Promise<Key | undefined> {
    if (this.taken >= MAX_KEYS_PER_TURN) {
      await nextTurn();
      this.taken = 0;
    }
    const key = this.take();
    if (key || this.closed || this.finished) return key;
    return new Promise((resolve) => {
      this.waiter = resolve;
    });
  }

  /** Forgets what was typed ahead. */
  clear(): void {
    this.keys = [];
    this.head = 0;
    this.relieve();
  }

  /** No more keys will come; those that are here can still be taken. */
  finish(): void {
    this.finished = true;
    if (!this.isEmpty) return;
    this.waiter?.(undefined);
    this.waiter = undefined;
  }

  close(): void {
    this.closed = true;
    this.clear();
    this.waiter?.(undefined);
    this.waiter = undefined;
  }

  private serve(): void {
    const { waiter } = this;
    const key = waiter && this.take();
    if (!waiter || !key) return;
    this.waiter = undefined;
    waiter(key);
  }

  private take(): Key | undefined {
    const key = this.keys[this.head];
    if (!key) return undefined;
    this.head++;
    this.taken++;
    if (this.head === this.keys.length) {
      this.keys = [];
      this.head = 0;
    }
    this.relieve();
    return key;
  }

  private relieve(): void {
    if (!this.isFull || this.keys.length - this.head > MAX_TYPE_AHEAD_KEYS / 2) return;
    this.isFull = false;
    this.flow.resume();
  }
}
