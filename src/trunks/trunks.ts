import type { User, UserService } from '../accounts/types.js';
import { type AlarmStates, NO_ALARMS } from '../alarms/types.js';
import type {
  ImaginedCall,
  OutgoingCaller,
  TrunkCall,
  TrunkGateway,
  TrunkPlace,
  TrunkPort,
  TrunkRecognition,
} from '../call/trunk-port.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { findOutsideRoute } from '../routing/find-outside-route.js';
import type { OutsideQuestion } from '../routing/find-route.js';
import type { LegLimits } from '../routing/leg-limits.js';
import { normaliseNumber } from '../routing/number.js';
import type { GatewayFacts, OutsideFacts, PayerFacts, TrunkTarget } from '../routing/outside-types.js';
import { type RouteStep, step } from '../routing/steps.js';
import { translate } from '../routing/translate.js';
import { Authenticator, type AuthenticatorOptions } from '../security/authenticator.js';
import type { SignallingConnection } from '../signalling/connection.js';
import { header, peerOf } from '../signalling/request.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import { parseCredentials } from '../sip/digest-headers.js';
import { parseUri } from '../sip/uri.js';
import type { Store } from '../store/types.js';
import { dialledNumber, incomingCaller, outgoingIdentity } from './caller-id.js';
import { challengeAnswerer } from './credentials.js';
import { parseHostPort } from './host-port.js';
import { OUTSIDE_DEFAULTS, type OutsideDefaults, payerFacts } from './outside-rights.js';
import { TrunkEditor } from './trunk-editor.js';
import { TrunkTable } from './trunk-table.js';
import { hostOf, TrunkWatch, uriOf } from './trunk-watch.js';
import type { RegistrationState, Trunk, TrunkService, TrunkState } from './types.js';
import { TrunkUsage } from './usage.js';

const DEFAULT_PORTS = { udp: 5060, tcp: 5060, tls: 5061 } as const;
const NOT_REGISTERED: RegistrationState = { state: 'off', reason: '' };
/** Random numbers for one choice among the trunks of a route. */
const DRAWS = 20;

export interface TrunksOptions {
  readonly store: Pick<Store, 'collection'>;
  readonly connection: Pick<SignallingConnection, 'srf'>;
  readonly users: Pick<UserService, 'authData'>;
  /** How trunks that have a name and password show them; as for subscribers. */
  readonly auth: Omit<AuthenticatorOptions, 'users'>;
  /** This server's address, where the engine cannot put it. */
  readonly ownHost: string;
  readonly defaults?: OutsideDefaults;
  readonly clock?: Clock;
  readonly log: Logger;
  readonly alarms?: AlarmStates;
}

/** Trunks: for consoles, and for calls. */
export interface Trunks extends TrunkPort, Closeable {
  /** For consoles. */
  readonly service: TrunkService;
  /** Whether calls of a trunk come from an address. */
  isSource(address: string): boolean;
  /** The same for some address of a network (CIDR). */
  hasSourceIn(network: string): boolean;
}

/** Reads trunks and routes, and begins to watch and register them. The caller closes it. */
export async function openTrunks(options: TrunksOptions): Promise<Trunks> {
  const trunks = new StoredTrunks(options);
  await trunks.start();
  return trunks;
}

class StoredTrunks implements Trunks {
  readonly service: TrunkService;
  private readonly table: TrunkTable;
  private readonly watch: TrunkWatch;
  private readonly usage: TrunkUsage;
  private readonly authenticator: Authenticator;

  constructor(private readonly options: TrunksOptions) {
    const { store, connection, users, clock = systemClock, log, auth, alarms = NO_ALARMS } = options;
    this.watch = new TrunkWatch(connection.srf, clock, log, alarms);
    this.table = new TrunkTable(store, clock, log, () => this.watch.sync(this.table.list()));
    this.usage = new TrunkUsage(clock);
    this.authenticator = new Authenticator({ ...auth, users: { authData: (name) => this.authData(name) } });
    const editor = new TrunkEditor(this.table, users, auth.realm);
    this.service = Object.assign(editor, { states: () => this.table.list().map((one) => this.stateOf(one)) });
  }

  start(): Promise<void> {
    return this.table.start();
  }

  async close(): Promise<void> {
    this.table.close();
    await this.watch.close();
  }

  async recognise(req: SrfRequest): Promise<TrunkRecognition | undefined> {
    const { address, port } = peerOf(req);
    const known = this.table.at(address, port) ?? this.registeredAt(req, address);
    if (known && known.inUsername === '') return { kind: 'trunk', call: this.callOf(req, known) };
    if (!known && !this.table.hasInUsers) return undefined;
    const named = this.table.byInUsername(namedUser(req));
    // A trunk with addresses and a password has to show both.
    const trunk = known ?? (named?.sources.length === 0 ? named : undefined);
    if (!trunk) return undefined;
    // A name that a subscriber was given later is the subscriber's; while the Store is away the trunk of the table has it.
    if (!known && (await this.options.users.authData(trunk.inUsername).catch(() => undefined)))
      return undefined;
    const outcome = await this.authenticator.authenticate(req, 'proxy');
    if (!outcome.ok) return { kind: 'failed', outcome };
    if (outcome.user.username === trunk.inUsername) return { kind: 'trunk', call: this.callOf(req, trunk) };
    return { kind: 'failed', outcome: { ok: false, failure: 'wrong-credentials', stale: false } };
  }

  isSource(address: string): boolean {
    return this.table.places.has(address);
  }

  hasSourceIn(network: string): boolean {
    return this.table.places.touches(network);
  }

  imagine(address: string, called: string, caller: string): ImaginedCall | undefined {
    const trunk = this.table.atAnyPort(address);
    if (!trunk) return undefined;
    const { name, rules, inUsername } = trunk;
    const who = inUsername === '' ? 'callerIsTrunk' : 'callerIsTrunkWithPassword';
    const steps = [step(who, { address, trunk: name })];
    const change = (number: string, of: 'CALLED' | 'CALLER'): string => {
      const { number: after, rule } = translate(number, rules, 'IN', of);
      if (rule !== undefined)
        steps.push(
          step(of === 'CALLED' ? 'calledBecomes' : 'callerBecomes', { trunk: name, number, to: after, rule }),
        );
      return after;
    };
    return { trunk: name, called: change(called, 'CALLED'), caller: change(caller, 'CALLER'), steps };
  }

  async outside({ number, caller, diversions }: OutsideQuestion): Promise<OutsideFacts | undefined> {
    const route = findOutsideRoute(this.table.routes(), number);
    if (!route) return undefined;
    const { clock: _, defaults = OUTSIDE_DEFAULTS, users } = this.options;
    const answersFor = await users.authData(diversions.at(-1)?.by ?? caller.username);
    const payer = answersFor && payerFacts(answersFor, this.usage, defaults);
    const origin = caller.trunk === undefined ? undefined : this.table.get(caller.trunk);
    const gateways = route.trunks.flatMap(({ trunk }) => {
      const found = this.table.get(trunk);
      return found ? [this.factsOf(found)] : [];
    });
    return {
      route,
      gateways,
      payer,
      origin: origin && { name: origin.name, mayTransit: origin.transit },
      isForwarded: diversions.length > 0 || payer !== undefined,
      callerNumber: caller.number ?? caller.username,
      draws: Array.from({ length: DRAWS }, () => Math.random()),
    };
  }

  gateway({ trunk: name, called, caller }: TrunkTarget, shown: OutgoingCaller): TrunkGateway | undefined {
    const trunk = this.table.get(name);
    const place = trunk && parseHostPort(trunk.address);
    if (!trunk || !place) return undefined;
    const { address, transport } = trunk;
    const numbers = { called, caller };
    return {
      name,
      uri: uriOf(called, address, transport),
      host: place.host,
      port: place.port ?? DEFAULT_PORTS[transport],
      transport,
      headers: outgoingIdentity(trunk, numbers, shown, hostOf(address), this.options.ownHost),
      ...codecsOf(trunk),
      limits: legLimitsOf(trunk),
      take: () => this.usage.take(name, 'out', trunk),
      answerChallenge: challengeAnswerer(trunk),
    };
  }

  begin(payer: PayerFacts): TrunkPlace | undefined {
    return this.usage.begin(payer);
  }

  /** The trunk that the Contact of our registration names, from where its registrar is. */
  private registeredAt(req: SrfRequest, address: string): Trunk | undefined {
    const name = this.watch.byContact(parseUri(req.uri)?.user ?? '', address);
    return name === undefined ? undefined : this.table.get(name);
  }

  private callOf(req: SrfRequest, trunk: Trunk): TrunkCall {
    const { name, rules, username } = trunk;
    const own = [this.watch.contactUser(name) ?? '', username].filter(Boolean);
    const sent = dialledNumber(req, own);
    const dialled = normaliseNumber(sent)?.number ?? sent;
    const { number: called } = translate(dialled, rules, 'IN', 'CALLED');
    const caller = incomingCaller(req, trunk);
    return {
      trunk: name,
      dialled,
      called: normaliseNumber(called),
      caller: translate(caller.number, rules, 'IN', 'CALLER').number,
      displayName: caller.displayName,
      isAnonymous: caller.isAnonymous,
      ...codecsOf(trunk),
      limits: legLimitsOf(trunk),
      take: () => this.usage.take(name, 'in', trunk),
    };
  }

  private factsOf(trunk: Trunk): GatewayFacts {
    const { name, maxCalls, maxRate, rules, trySec, mayReturn } = trunk;
    const used = this.usage.of(name);
    const down = this.whyDown(trunk);
    return {
      name,
      calls: used.in + used.out,
      rate: used.rate,
      ...(down !== undefined && { down }),
      ...(maxCalls > 0 && { maxCalls }),
      ...(maxRate > 0 && { maxRate }),
      rules,
      tryMs: trySec * 1000,
      mayReturn,
    };
  }

  private whyDown({ name: trunk, status, address, register }: Trunk): RouteStep | undefined {
    if (status !== 'ACTIVE') return step('trunkInactive', { trunk });
    if (address === '') return step('trunkHasNoAddress', { trunk });
    const health = this.watch.health(trunk);
    if (health && !health.isUp) return step('trunkDown', { trunk, answer: health.reason });
    const registration = this.watch.registration(trunk)?.state;
    if (register && registration?.state !== 'registered')
      return step('trunkNotRegistered', { trunk, answer: registration?.reason ?? 'not begun' });
    return undefined;
  }

  private stateOf(trunk: Trunk): TrunkState {
    const { name, status, address, transport } = trunk;
    const used = this.usage.of(name);
    const health = this.watch.health(name);
    return {
      name,
      status,
      address: address === '' ? '' : `${address}/${transport}`,
      health: health ? (health.isUp ? 'up' : 'down') : 'unwatched',
      healthReason: health?.reason ?? '',
      ...(health?.since !== undefined && { healthSince: health.since }),
      registration: this.watch.registration(name)?.state ?? NOT_REGISTERED,
      callsIn: used.in,
      callsOut: used.out,
      rate: used.rate,
      refused: used.refused,
    };
  }

  /** A trunk as its digest sees it. */
  private async authData(name: string): Promise<User | undefined> {
    const trunk = this.table.byInUsername(name);
    if (!trunk?.inHa1) return undefined;
    const { realm, md5, sha256 } = trunk.inHa1;
    return {
      username: name,
      realm,
      ha1: { md5, sha256 },
      displayName: trunk.name,
      phone: '',
      email: '',
      status: 'ACTIVE',
      serviceType: 'BASIC',
      createdAt: 0,
      updatedAt: 0,
    };
  }
}

function codecsOf({ codecs, dropCodecs }: Trunk): Pick<TrunkCall, 'codecs'> {
  if (codecs.length === 0 && dropCodecs.length === 0) return {};
  return { codecs: { order: codecs, remove: dropCodecs } };
}

function legLimitsOf({ maxDurationSec, silenceSec, sessionSec }: Trunk): LegLimits {
  return {
    ...(maxDurationSec > 0 && { maxDurationSec }),
    ...(silenceSec > 0 && { silenceSec }),
    ...(sessionSec > 0 && { sessionSec }),
  };
}

/** The name in a request's credentials; `''` without any. */
function namedUser(req: SrfRequest): string {
  const value = header(req, 'proxy-authorization');
  return (value === undefined ? undefined : parseCredentials(value)?.username) ?? '';
}
