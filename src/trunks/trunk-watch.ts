import { createHash, createHmac } from 'node:crypto';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import { escapeUser } from '../sip/escape.js';
import { challengeAnswerer } from './credentials.js';
import { TrunkHealth } from './health.js';
import { TrunkRegistration } from './registration.js';
import type { Trunk } from './types.js';

/** 96 bits: a Contact that strangers cannot guess. */
const CONTACT_LENGTH = 24;

interface Watched {
  /** The fields that these were made from. */
  readonly key: string;
  readonly contactUser: string;
  readonly health: TrunkHealth | undefined;
  readonly registration: TrunkRegistration | undefined;
}

/** Watches and registers trunks: begins when they come or change, ends when they go. */
export class TrunkWatch {
  private readonly watched = new Map<string, Watched>();

  constructor(
    private readonly engine: SrfEngine,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Takes over what the trunks are now; those that did not change are left alone. */
  sync(trunks: readonly Trunk[]): void {
    const wanted = new Map(trunks.filter(({ status }) => status === 'ACTIVE').map((one) => [one.name, one]));
    for (const [name, { key }] of this.watched) {
      const trunk = wanted.get(name);
      if (!trunk || keyOf(trunk) !== key) void this.end(name);
    }
    for (const trunk of wanted.values()) if (!this.watched.has(trunk.name)) this.begin(trunk);
  }

  health(name: string): TrunkHealth | undefined {
    return this.watched.get(name)?.health;
  }

  registration(name: string): TrunkRegistration | undefined {
    return this.watched.get(name)?.registration;
  }

  /** The trunk that registered us by that Contact and answered from that address. */
  byContact(user: string, address: string): string | undefined {
    for (const [name, { contactUser, registration }] of this.watched)
      if (registration && contactUser === user && registration.registrarAddress === address) return name;
    return undefined;
  }

  contactUser(name: string): string | undefined {
    return this.watched.get(name)?.contactUser;
  }

  async close(): Promise<void> {
    await Promise.all([...this.watched.keys()].map((name) => this.end(name)));
  }

  private begin(trunk: Trunk): void {
    const { name, address, transport, optionsSec, register } = trunk;
    const { engine, clock, log } = this;
    const uri = uriOf('', address, transport);
    const contactUser = contactUserOf(trunk);
    const host = trunk.domain || hostOf(address);
    const isWatched = optionsSec > 0 && address !== '';
    const identity = `<sip:${trunk.username === '' ? '' : `${escapeUser(trunk.username)}@`}${trunk.domain || 'localhost'}>`;
    const health = isWatched
      ? new TrunkHealth(
          {
            trunk: name,
            uri,
            headers: { From: identity, To: `<${uri}>`, Accept: 'application/sdp' },
            intervalMs: optionsSec * 1000,
            downAfter: trunk.downAfter,
            upAfter: trunk.upAfter,
          },
          engine,
          clock,
          log,
        )
      : undefined;
    const registration = register
      ? new TrunkRegistration(
          {
            trunk: name,
            uri,
            aor: `sip:${escapeUser(trunk.username)}@${host}`,
            contactUser,
            contactParams: transport === 'udp' ? '' : `;transport=${transport}`,
            expiresSec: trunk.registerSec,
            answerChallenge: challengeAnswerer(trunk),
          },
          engine,
          clock,
          log,
        )
      : undefined;
    this.watched.set(name, { key: keyOf(trunk), contactUser, health, registration });
  }

  private async end(name: string): Promise<void> {
    const watched = this.watched.get(name);
    this.watched.delete(name);
    watched?.health?.stop();
    await watched?.registration?.stop();
  }
}

/** Nobody can guess it who does not know the password, and it is the same after a restart. */
function contactUserOf({ name, username, password }: Trunk): string {
  const key = createHash('sha256').update(password).digest();
  return createHmac('sha256', key)
    .update(`contact:${name}:${username}`)
    .digest('hex')
    .slice(0, CONTACT_LENGTH);
}

/** What health and registration depend on. */
function keyOf(trunk: Trunk): string {
  const { address, transport, domain, username, password, register, registerSec } = trunk;
  const { optionsSec, downAfter, upAfter } = trunk;
  return JSON.stringify([
    ...[address, transport, domain, username, password, register, registerSec],
    ...[optionsSec, downAfter, upAfter],
  ]);
}

/** The URI of a number, or of nobody, at a trunk; the engine finds the way by RFC 3263. */
export function uriOf(user: string, address: string, transport: Trunk['transport']): string {
  const userPart = user === '' ? '' : `${escapeUser(user)}@`;
  return `sip:${userPart}${address}${transport === 'udp' ? '' : `;transport=${transport}`}`;
}

/** The host of an address as it stands in a URI, without the port. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, '');
}
