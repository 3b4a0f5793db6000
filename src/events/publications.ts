import type { User } from '../accounts/types.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import { randomToken } from '../platform/ids.js';
import { EventRefusedError } from './errors.js';
import type { PresenceParts } from './pidf.js';

/** Publications of one user; one a phone is usual. */
const MAX_PER_USER = 10;
/** All that is published of one user, bytes: it has to fit into one datagram. */
const MAX_USER_BYTES = 49_152;
const RETRY_AFTER_SEC = 60;

/** What one publisher said, until its time is over. */
export interface Publication {
  /** Its name, another one after each change (RFC 3903 §6). */
  readonly etag: string;
  readonly username: string;
  /** When the account was made: a later one of that name is somebody else. */
  readonly userSince: number;
  readonly parts: PresenceParts;
  /** Wall milliseconds. */
  readonly expiresAt: number;
}

/** Published presence, in memory, bounded and with an end (RFC 3903 §6). */
export class Publications {
  private readonly byUser = new Map<string, Publication[]>();
  private readonly timers = new Map<string, TimerHandle>();

  constructor(
    private readonly clock: Clock,
    private readonly maxTotal: number,
    private readonly onChange: (username: string) => void,
  ) {}

  get size(): number {
    return this.timers.size;
  }

  /** Of a user, oldest first. */
  of({ username, createdAt }: Pick<User, 'username' | 'createdAt'>): readonly Publication[] {
    return (this.byUser.get(username) ?? []).filter(({ userSince }) => userSince === createdAt);
  }

  /** Users with publications. */
  users(): string[] {
    return [...this.byUser.keys()];
  }

  find(user: Pick<User, 'username' | 'createdAt'>, etag: string): Publication | undefined {
    return this.of(user).find((one) => one.etag === etag);
  }

  /** Throws EventRefusedError when there is no room. */
  add(user: Pick<User, 'username' | 'createdAt'>, parts: PresenceParts, seconds: number): Publication {
    const { username, createdAt } = user;
    const headers = { 'Retry-After': RETRY_AFTER_SEC };
    const mine = this.of(user);
    if (mine.length >= MAX_PER_USER) throw new EventRefusedError(480, 'Too Many Publications', headers);
    checkSize(mine, parts);
    if (this.size >= this.maxTotal) throw new EventRefusedError(503, 'Service Unavailable', headers);
    const publication = this.make(username, createdAt, parts, seconds);
    this.byUser.set(username, [...(this.byUser.get(username) ?? []), publication]);
    this.onChange(username);
    return publication;
  }

  /** Lasts so long from now on; with other parts when there are some. Throws EventRefusedError when there is no room. */
  renew(former: Publication, parts: PresenceParts | undefined, seconds: number): Publication {
    const { username, userSince } = former;
    const all = this.byUser.get(username) ?? [];
    if (parts)
      checkSize(
        all.filter((one) => one !== former && one.userSince === userSince),
        parts,
      );
    this.stop(former);
    const publication = this.make(username, userSince, parts ?? former.parts, seconds);
    this.byUser.set(
      username,
      all.map((one) => (one === former ? publication : one)),
    );
    // RFC 3903 §4.3: a refresh says nothing new.
    if (parts) this.onChange(username);
    return publication;
  }

  remove(publication: Publication): void {
    const { username } = publication;
    this.stop(publication);
    const left = (this.byUser.get(username) ?? []).filter((one) => one !== publication);
    if (left.length > 0) this.byUser.set(username, left);
    else this.byUser.delete(username);
    this.onChange(username);
  }

  close(): void {
    for (const timer of this.timers.values()) this.clock.clearTimeout(timer);
    this.timers.clear();
    this.byUser.clear();
  }

  private make(username: string, userSince: number, parts: PresenceParts, seconds: number): Publication {
    const etag = randomToken(16);
    const publication = { etag, username, userSince, parts, expiresAt: this.clock.now() + seconds * 1000 };
    this.timers.set(
      etag,
      this.clock.setTimeout(() => this.remove(publication), seconds * 1000),
    );
    return publication;
  }

  private stop({ etag }: Publication): void {
    this.clock.clearTimeout(this.timers.get(etag));
    this.timers.delete(etag);
  }
}

function checkSize(others: readonly Publication[], parts: PresenceParts): void {
  const bytes = others.reduce((sum, one) => sum + one.parts.size, parts.size);
  // RFC 3261 §21.4.11
  if (bytes > MAX_USER_BYTES) throw new EventRefusedError(413, 'Request Entity Too Large');
}
