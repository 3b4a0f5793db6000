import { randomBytes } from 'node:crypto';
import type { User, UserService } from '../accounts/types.js';
import type { Logger } from '../platform/logger.js';
import type { LocalNames } from '../signalling/local-names.js';
import { header, type PeerAddress, peerOf } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { computeResponse, digestsEqual } from '../sip/digest.js';
import { formatChallenge } from '../sip/digest-headers.js';
import type { AuthFailure } from './auth-failure.js';
import type { AuthThrottle } from './auth-throttle.js';
import { digestUriFits, type HeldAlgorithm, pickCredentials, type UsableCredentials } from './credentials.js';
import type { Nonces } from './nonces.js';
import { algorithmsFor, DEFAULT_ALGORITHMS } from './offered-algorithms.js';

/** `www`: 401, Authorization, for a registrar or user agent; `proxy`: 407, Proxy-Authorization (RFC 3261 §22.2, §22.3). */
export type ChallengeKind = 'www' | 'proxy';

/** What is looked at of a request. */
export interface AuthRequest {
  readonly method: string;
  readonly requestUri: string;
  /** The Authorization or Proxy-Authorization value, several joined with commas; UTF-8 text. */
  readonly credentials: string | undefined;
  readonly peer: Pick<PeerAddress, 'address'> & Partial<Pick<PeerAddress, 'protocol'>>;
}

export type AuthOutcome =
  | { readonly ok: true; readonly user: User }
  | {
      readonly ok: false;
      readonly failure: AuthFailure;
      /** The digest was right but its nonce is no longer good: the phone tries again without asking its user. */
      readonly stale: boolean;
      /** As given by the peer, for the operator's log; may name nobody. */
      readonly username?: string;
    };

/** Told who shows passwords that are right, and who guesses. */
export interface AuthObserver {
  /** A subscriber proved itself from an address. */
  accepted(address: string): void;
  /**
   * Credentials were refused that answer a challenge of ours, just sent to that very address, so that the address is no lie: a wrong password, a name
   * that nobody has, a try after too many of these. `isConnected`: over TCP, TLS or WebSocket.
   */
  guessed(address: string, kind: 'password' | 'name' | 'throttled', isConnected: boolean): void;
  /** A request without credentials came. Over UDP its address may be a lie. */
  unauthenticated(address: string, isProven: boolean): void;
}

export interface AuthenticatorOptions {
  readonly realm: string;
  readonly users: Pick<UserService, 'authData'>;
  readonly names: LocalNames;
  readonly nonces: Nonces;
  readonly throttle: AuthThrottle;
  /** Algorithms to offer, in order of preference; others are not taken. Default MD5, SHA-256. */
  readonly algorithms?: readonly HeldAlgorithm[];
  readonly observer?: AuthObserver;
  readonly log: Logger;
}

/** Counts since start, for metrics. */
export type AuthCounters = Record<'accepted' | 'challenged' | AuthFailure, number>;

const HEADERS = {
  www: { status: 401, challenge: 'WWW-Authenticate', credentials: 'authorization' },
  proxy: { status: 407, challenge: 'Proxy-Authenticate', credentials: 'proxy-authorization' },
} as const;

/** Failures that another challenge would not help. */
const FINAL_REFUSALS: Partial<Record<AuthFailure, { status: number; reason: string }>> = {
  throttled: { status: 403, reason: 'Too Many Attempts' },
  inactive: { status: 403, reason: 'Account Not Active' },
  // RFC 7616 §3.4.6
  'uri-mismatch': { status: 400, reason: 'Digest URI Mismatch' },
};

/** Digest authentication of subscribers (RFC 3261 §22, RFC 7616, RFC 8760). Never logs credentials. */
export class Authenticator {
  readonly counters: AuthCounters = {
    accepted: 0,
    challenged: 0,
    'no-credentials': 0,
    malformed: 0,
    'stale-nonce': 0,
    replayed: 0,
    'uri-mismatch': 0,
    'wrong-credentials': 0,
    inactive: 0,
    throttled: 0,
  };
  /** Stands in for the HA1 of a user that does not exist, so that both take the same time. */
  private readonly nobody = { md5: randomBytes(16).toString('hex'), sha256: randomBytes(32).toString('hex') };

  private readonly algorithms: readonly HeldAlgorithm[];

  constructor(private readonly options: AuthenticatorOptions) {
    this.algorithms = options.algorithms ?? DEFAULT_ALGORITHMS;
  }

  /** Authenticates a request. Rejects with StoreError when nothing is known of the user and the Store is away. */
  async authenticate(req: SrfRequest, kind: ChallengeKind): Promise<AuthOutcome> {
    const outcome = await this.verify({
      method: req.method,
      requestUri: req.uri,
      credentials: header(req, HEADERS[kind].credentials),
      peer: peerOf(req),
    });
    if (!outcome.ok) this.logFailure(req, outcome);
    return outcome;
  }

  /** Verifies the credentials of a request; a nonce count that is found good is used up by it. */
  async verify(request: AuthRequest): Promise<AuthOutcome> {
    const outcome = await this.judge(request);
    this.counters[outcome.ok ? 'accepted' : outcome.failure]++;
    return outcome;
  }

  /** Header with a challenge for each algorithm in our order, each to stand on a line of its own (RFC 8760 §2.3). */
  challenge(
    kind: ChallengeKind,
    address: string,
    stale: boolean,
    userAgent?: string,
  ): Record<string, string[]> {
    const { realm, nonces } = this.options;
    const nonce = nonces.issue(address);
    const values = algorithmsFor(this.algorithms, userAgent).map((algorithm) =>
      formatChallenge({ realm, nonce, algorithm, qop: ['auth'], ...(stale ? { stale } : {}) }),
    );
    return { [HEADERS[kind].challenge]: values };
  }

  /** Answers a request that was not authenticated: 401 or 407 with a challenge, 403 when trying again is useless. */
  reject(req: SrfRequest, res: SrfResponse, kind: ChallengeKind, outcome: AuthOutcome & { ok: false }): void {
    const final = FINAL_REFUSALS[outcome.failure];
    if (final) {
      respondOnly(res, final.status, { reason: final.reason });
      return;
    }
    this.counters.challenged++;
    respondOnly(res, HEADERS[kind].status, {
      headers: this.challenge(kind, req.source_address, outcome.stale, header(req, 'user-agent')),
    });
  }

  private async judge(request: AuthRequest): Promise<AuthOutcome> {
    const { realm, nonces, throttle, users } = this.options;
    const credentials = pickCredentials(octets(request.credentials), realm, this.algorithms);
    const { address, protocol = 'udp' } = request.peer;
    const isConnected = protocol !== 'udp';
    if (credentials === 'none') {
      this.options.observer?.unauthenticated(address, isConnected);
      return failure('no-credentials');
    }
    if (credentials === 'malformed') return failure('malformed');
    const username = text(credentials.username);
    // A nonce that is not ours says nothing about the password, and its sender may have forged its address too.
    if (!nonces.isAuthentic(credentials.nonce, address)) return failure('stale-nonce', username, true);
    // An older nonce may have been given to whoever had the address then.
    const observer = nonces.isRecent(credentials.nonce) ? this.options.observer : undefined;
    if (throttle.isBlocked(username, address)) {
      observer?.guessed(address, 'throttled', isConnected);
      return failure('throttled', username);
    }
    const user = await users.authData(username);
    if (!this.isRight(credentials, request.method, user)) {
      throttle.failed(username, address);
      observer?.guessed(address, user ? 'password' : 'name', isConnected);
      return failure('wrong-credentials', username);
    }
    return this.admit(request, credentials, user!);
  }

  /** The digest is right: what is left is whether it may be used here and now. */
  private admit(request: AuthRequest, credentials: UsableCredentials, user: User): AuthOutcome {
    const { nonces, throttle, names } = this.options;
    const { address } = request.peer;
    if (!digestUriFits(credentials.uri, octets(request.requestUri) ?? '', (host) => names.has(host)))
      return failure('uri-mismatch', user.username);
    const verdict = nonces.use(credentials.nonce, address, credentials.count);
    if (verdict === 'replayed') return failure('replayed', user.username, true);
    if (verdict !== 'fresh') return failure('stale-nonce', user.username, true);
    throttle.succeeded(user.username, address);
    this.options.observer?.accepted(address);
    return user.status === 'ACTIVE' ? { ok: true, user } : failure('inactive', user.username);
  }

  private isRight(credentials: UsableCredentials, method: string, user: User | undefined): boolean {
    const known = user?.realm === this.options.realm ? user.ha1 : undefined;
    const ha1 = known ?? this.nobody;
    const expected = computeResponse({
      algorithm: credentials.held,
      ha1: credentials.held === 'MD5' ? ha1.md5 : ha1.sha256,
      method,
      uri: credentials.uri,
      nonce: credentials.nonce,
      nc: credentials.nc,
      cnonce: credentials.cnonce,
      qop: credentials.qop === 'auth' ? 'auth' : undefined,
    });
    return digestsEqual(expected, credentials.response) && known !== undefined;
  }

  private logFailure(req: SrfRequest, outcome: AuthOutcome & { ok: false }): void {
    const { failure: reason, username } = outcome;
    if (reason === 'no-credentials' || reason === 'stale-nonce') return;
    const { address, port } = peerOf(req);
    const callId = req.get('call-id');
    this.options.log.warn(
      { callId, method: req.method, username, address, port, reason },
      'authentication failed',
    );
  }
}

function failure(reason: AuthFailure, username?: string, stale = false): AuthOutcome {
  return { ok: false, failure: reason, stale, ...(username === undefined ? {} : { username }) };
}

/** UTF-8 text as the octets it came in as, a char for each: digests are made over octets (RFC 7616 §3.4.1). */
function octets(value: string | undefined): string | undefined {
  return value === undefined || isAscii(value) ? value : Buffer.from(value, 'utf8').toString('latin1');
}

function text(value: string): string {
  return isAscii(value) ? value : Buffer.from(value, 'latin1').toString('utf8');
}

function isAscii(value: string): boolean {
  return !/[^\u0000-\u007f]/.test(value);
}
