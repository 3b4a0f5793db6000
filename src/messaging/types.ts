/** A message on its way to one subscriber, as it is kept in the Store. */
export interface Letter {
  /** ULID: the order of delivery. */
  readonly id: string;
  /** User names. */
  readonly sender: string;
  readonly recipient: string;
  /** When the recipient's account was made: a later one of the same name is somebody else. */
  readonly recipientSince: number;
  /** As in the sender's request, for records. */
  readonly callId: string;
  readonly cseq: number;
  readonly senderUri: string;
  readonly dialled: string;
  readonly address: string;
  readonly port: number;
  readonly transport: string;
  /** For the phones, complete. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Wall milliseconds. */
  readonly receivedAt: number;
  readonly expiresAt: number;
}

/** Messages that wait, for consoles. Rejects with StoreError. */
export interface MessageBoxService {
  /** Of one user, oldest first. */
  waitingFor(username: string): Promise<Letter[]>;
  /** Of all users, in order of `key`, after `after`. */
  listWaiting(options: {
    readonly after?: string;
    readonly limit: number;
  }): Promise<{ key: string; letter: Letter }[]>;
  /** Removes those of a user, or the one of an id; resolves how many there were. */
  discard(username: string, id?: string): Promise<number>;
}

/** Bounds of messaging; each may be left out. */
export interface MessageLimits {
  /** Largest body, bytes. Default 8192. */
  readonly maxBytes?: number;
  /** Messages that may wait for one user. Default 100; 0: none waits. */
  readonly maxWaiting?: number;
  /** Messages that may wait in all. Default 100000. */
  readonly maxTotal?: number;
  /** Longest wait, and that of a message without Expires, seconds. Default 604800. */
  readonly expirySec?: number;
  /** Messages a minute of one sender, and as many at once. Default 60; 0: any number. */
  readonly perMinute?: number;
  /** How long a sender waits for the phones before its message is kept, milliseconds. Default 8000. */
  readonly patienceMs?: number;
}
