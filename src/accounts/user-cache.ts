import type { User } from './types.js';

/** A look at the Store: what was there and when (monotonic milliseconds). */
interface Look {
  readonly user: User | undefined;
  readonly at: number;
}

/**
 * Users as last seen, least recently used first out. Names that do not exist have a room of their own, so that a
 * scan over names drives out no subscriber.
 */
export class UserCache {
  private readonly known = new Map<string, Look>();
  private readonly unknown = new Map<string, Look>();

  constructor(
    private readonly maxKnown: number,
    private readonly maxUnknown: number,
  ) {}

  get(username: string): Look | undefined {
    const look = this.known.get(username);
    if (!look) return this.unknown.get(username);
    this.known.delete(username);
    this.known.set(username, look);
    return look;
  }

  set(username: string, user: User | undefined, at: number): void {
    this.forget(username);
    const [room, max] = user ? [this.known, this.maxKnown] : [this.unknown, this.maxUnknown];
    room.set(username, { user, at });
    if (room.size > max) room.delete(room.keys().next().value!);
  }

  forget(username: string): void {
    this.known.delete(username);
    this.unknown.delete(username);
  }
}
