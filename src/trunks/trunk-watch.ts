import { createHash, createHmac } from 'node:crypto';
import type { AlarmStates } from '../alarms/types.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import { escapeUser } from '../sip/escape.js';
import { challengeAnswerer } from './credentials.js';
import { TrunkHealth } from './health.js';
import { type RegistrationOptions, TrunkRegistration } from './registration.js';
import type { Trunk } from './types.js';

/** 96 bits: a Contact that strangers cannot guess. */
const CONTACT_LENGTH = 24;

interface Watched {
  /** The fields that each was made from. */
  healthKey: string;
  registrationKey: string;
  contactUser: string;
  health: TrunkHealth | undefined;
  registration: TrunkRegistration | undefined;
}

/** Watches and registers trunks: begins when they come or change, ends when they go. */
export class TrunkWatch {
  private readonly watched = new Map<string, Watched>();
  /** Registrations that were stopped, by trunk, as long as something of them is on its way to a registrar. */
  private readonly leaving = new Map<string, Set<TrunkRegistration>>();

  constructor(
    private readonly engine: SrfEngine,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly alarms: AlarmStates,
  ) {}

  /** Takes over what the trunks are now; those that did not change are left alone. */
  sync(trunks: readonly Trunk[]): void {
    const wanted = new Map(trunks.filter(({ status }) => status === 'ACTIVE').map((one) => [one.name, one]));
    for (const name of this.watched.keys()) if (!wanted.has(name)) this.forget(name);
    for (const trunk of wanted.values()) this.take(trunk);
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

  private take(trunk: Trunk): void {
    const { name } = trunk;
    const [healthKey, registrationKey] = [healthKeyOf(trunk), registrationKeyOf(trunk)];
    const before = this.watched.get(name);
    const health = before?.healthKey === healthKey ? before.health : this.watchHealth(trunk, before);
    const registration =
      before?.registrationKey === registrationKey ? before.registration : this.register(trunk, before);
    const contactUser = contactUserOf(trunk);
    this.watched.set(name, { healthKey, registrationKey, contactUser, health, registration });
  }

  private watchHealth(trunk: Trunk, before: Watched | undefined): TrunkHealth | undefined {
    const { name, address, transport, optionsSec, downAfter, upAfter } = trunk;
    before?.health?.stop();
    if (before) this.alarms.clear('TRUNK_DOWN', name);
    if (optionsSec === 0 || address === '') return undefined;
    const uri = uriOf('', address, transport);
    const user = trunk.username === '' ? '' : `${escapeUser(trunk.username)}@`;
    const identity = `<sip:${user}${trunk.domain || 'localhost'}>`;
    const headers = { From: identity, To: `<${uri}>`, Accept: 'application/sdp' };
    const options = { trunk: name, uri, headers, intervalMs: optionsSec * 1000, downAfter, upAfter };
    return new TrunkHealth(options, this.engine, this.clock, this.log, this.alarms);
  }

  /** Begins when those before have ended: they take their Contact away first, or leave it to the new one when it is the same. */
  private register(trunk: Trunk, before: Watched | undefined): TrunkRegistration | undefined {
    const { name, address, transport, username, domain, registerSec } = trunk;
    if (before) this.alarms.clear('TRUNK_UNREGISTERED', name);
    if (!trunk.register) {
      void this.retire(name, before?.registration);
      return undefined;
    }
    const options: RegistrationOptions = {
      trunk: name,
      uri: uriOf('', address, transport),
      aor: `sip:${escapeUser(username)}@${domain || hostOf(address)}`,
      contactUser: contactUserOf(trunk),
      contactParams: transport === 'udp' ? '' : `;transport=${transport}`,
      expiresSec: registerSec,
      answerChallenge: challengeAnswerer(trunk),
    };
    const former = [
      ...(this.leaving.get(name) ?? []),
      ...(before?.registration ? [before.registration] : []),
    ];
    const isInherited = former.some((one) => one.mayBeBound && one.isReplacedBy(options));
    const after = this.retire(name, before?.registration, options);
    return new TrunkRegistration(options, this.engine, this.clock, this.log, this.alarms, after, isInherited);
  }

  /** Stops what is registered for a trunk, and tells those stopped before whether `next` has their Contact. Never rejects. */
  private async retire(
    name: string,
    last: TrunkRegistration | undefined,
    next?: RegistrationOptions,
  ): Promise<void> {
    const leaving = this.leaving.get(name) ?? new Set();
    if (last) this.leaving.set(name, leaving.add(last));
    const stops = [...leaving].map((one) => one.stop(next !== undefined && one.isReplacedBy(next)));
    await Promise.all(stops);
    if (last) void last.over().then(() => this.forgetLeaving(name, last));
  }

  private forgetLeaving(name: string, registration: TrunkRegistration): void {
    const leaving = this.leaving.get(name);
    leaving?.delete(registration);
    if (leaving?.size === 0) this.leaving.delete(name);
  }

  /** What is not watched any more is not down either; at a restart it may be. */
  private forget(name: string): void {
    void this.end(name);
    this.alarms.clear('TRUNK_DOWN', name);
    this.alarms.clear('TRUNK_UNREGISTERED', name);
  }

  private async end(name: string): Promise<void> {
    const watched = this.watched.get(name);
    this.watched.delete(name);
    watched?.health?.stop();
    await this.retire(name, watched?.registration);
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

function healthKeyOf(trunk: Trunk): string {
  const { address, transport, domain, username, optionsSec, downAfter, upAfter } = trunk;
  return JSON.stringify([address, transport, domain, username, optionsSec, downAfter, upAfter]);
}

function registrationKeyOf(trunk: Trunk): string {
  const { address, transport, domain, username, password, register, registerSec } = trunk;
  return JSON.stringify([address, transport, domain, username, password, register, registerSec]);
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
