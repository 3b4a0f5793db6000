import type { User } from '../accounts/types.js';

/** What a package of events says of itself to the notifier (RFC 6665 §5.4). */
export interface EventPackage {
  /** As in the Event header. */
  readonly name: string;
  /** Of the body of its NOTIFYs. */
  readonly contentType: string;
  /** How long a subscription lasts whose SUBSCRIBE names no time, seconds. */
  readonly defaultSec: number;
  /** Shortest time between two NOTIFYs of one subscription, milliseconds. */
  readonly intervalMs: number;
  /** Throws EventRefusedError when that subscriber may not watch that user. */
  authorise(subscriber: User, resource: User): void;
  /** Somebody watches by it, or nobody any more. */
  interest?(isWatched: boolean): void;
  /** The full state of a user, as a document. `version` is 0 for the first NOTIFY of a subscription and goes up by one. */
  state(resource: User, version: number): string | Promise<string>;
}

/** An Event header (RFC 6665 §8.2.1). */
export interface EventHeader {
  /** Package, lower case as RFC 6665 has them all; compared byte by byte. */
  readonly name: string;
  readonly id: string | undefined;
}

/** Reads an Event header; undefined when there is none that can be used. */
export function parseEvent(value: string | undefined): EventHeader | undefined {
  const [name = '', ...params] = (value ?? '').split(';').map((part) => part.trim());
  if (!/^[\w.!%*+`'~-]+$/.test(name)) return undefined;
  const id = params.map((param) => /^id\s*=\s*([\w.!%*+`'~-]+)$/i.exec(param)?.[1]).find(Boolean);
  return { name, id };
}

export function formatEvent({ name, id }: EventHeader): string {
  return id === undefined ? name : `${name};id=${id}`;
}
