import type { User, UserService } from '../accounts/types.js';
import type { UserFeatures } from '../accounts/user-features.js';
import { withDeadline } from '../platform/deadline.js';
import { routeHeaders, routeUrlFor } from '../registrar/route-url.js';
import type { Binding } from '../registrar/types.js';
import { diversionFault } from '../routing/diversions.js';
import type { DialledCode } from '../routing/feature-codes.js';
import { type FoundRoute, findRoute, type RouteRequest } from '../routing/find-route.js';
import { type DialledNumber, normaliseNumber } from '../routing/number.js';
import type { PayerFacts } from '../routing/outside-types.js';
import type {
  Diversion,
  FailureKind,
  PhoneTarget,
  RoomTarget,
  Round,
  RouteCaller,
  RoutePlan,
  RouteTarget,
} from '../routing/types.js';
import { numberOf, type Party } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import { escapeUser } from '../sip/escape.js';
import { parseUri } from '../sip/uri.js';
import type { Call } from './call.js';
import { causeOf } from './causes.js';
import { diversionHeaders } from './diversion-headers.js';
import { CallRefusedError } from './errors.js';
import { runFeatureCode } from './feature-codes.js';
import type { CalleeTarget } from './fork-outcome.js';
import { type CallerIdentity, calleeInviteHeaders, PRODUCT, wantsPrivacy } from './header-policy.js';
import type { DialPlan, DialRound, NextPlan } from './hunt.js';
import { LocalPhone } from './local-phone.js';
import { findPickUp, pickUp } from './pick-up.js';
import { CallRouteDirectory, type DirectoryParts } from './route-directory.js';
import type { TrunkGateway, TrunkPlace, TrunkPort } from './trunk-port.js';

/** Longest wait for the directory inside an INVITE; its services answer from memory when the Store is away. */
const LOOKUP_TIMEOUT_MS = 4000;

/** What one call is routed by. */
export interface CallRouterOptions {
  readonly users: Pick<UserService, 'modify'>;
  readonly directory: DirectoryParts;
  readonly trunks?: TrunkPort | undefined;
  /** Domain of the numbers here. */
  readonly realm: string;
  /** Whether a host names this server. */
  isLocalHost(host: string): boolean;
  /** Host in From and To of B legs. */
  readonly identityHost: string;
  readonly maxTargets: number;
  readonly ringMs: number;
  /** Longest call of anybody, seconds; Infinity for no limit. */
  readonly maxDurationSec: number;
  /** Wall milliseconds. */
  now(): number;
}

/** Who calls: a subscriber, or somebody beyond a trunk. */
export interface RoutedCaller extends Pick<User, 'username' | 'status' | 'realm' | 'displayName'> {
  readonly features?: Pick<UserFeatures, 'maxDurationSec'>;
  /** Number by which a subscriber is called from outside. */
  readonly phone?: string;
  /** Set for who is no subscriber. */
  readonly outside?: { readonly trunk: string; readonly number: string; readonly isAnonymous: boolean };
}

/** The INVITE that is routed. */
export interface RoutedInvite {
  readonly req: SrfRequest;
  readonly from: Party;
  /** Who answers for the call unless it is forwarded. */
  readonly user: RoutedCaller;
  readonly scheme: string;
  readonly host: string;
  readonly number: DialledNumber | undefined;
  /** The server begins the call: there is nobody who could hear what a feature code did. */
  readonly isOriginated?: boolean;
  /** A REFER: the phones see who stays in the call, and the call's own way stays what it was. */
  readonly transfer?: {
    readonly shownAs: CallerIdentity;
    readonly headers: OutgoingHeaders;
    /** The trunk that the one who stays is beyond. */
    readonly trunk?: string;
    /** Has the place among outside calls until the transfer is done. */
    keep(place: TrunkPlace): void;
  };
}

/** Finds the way of one call, at its start and at every forwarding, and writes down where it leads. */
export class CallRouter {
  constructor(
    private readonly options: CallRouterOptions,
    private readonly invite: RoutedInvite,
    private readonly call: Call,
  ) {}

  /** The plan for the dialled number; undefined when the call has become another one. Throws CallRefusedError. */
  async route(): Promise<DialPlan | undefined> {
    const { scheme, host, number } = this.invite;
    return this.follow({ scheme, host, isLocalHost: this.options.isLocalHost(host), number, diversions: [] });
  }

  private async follow(
    to: Pick<RouteRequest, 'scheme' | 'host' | 'isLocalHost' | 'number' | 'diversions'>,
  ): Promise<DialPlan | undefined> {
    const { options, call } = this;
    const { maxTargets, ringMs } = options;
    const directory = new CallRouteDirectory(options.directory, call);
    const request = { ...to, caller: this.caller, now: options.now(), maxTargets, ringMs };
    const found = await withDeadline(findRoute(directory, request), LOOKUP_TIMEOUT_MS, 'finding the route');
    call.log.debug({ steps: found.steps }, 'routed');
    for (const diversion of found.diversions.slice(to.diversions.length)) this.note(diversion);
    if (found.room !== undefined && !this.invite.transfer)
      call.trail.add({ kind: 'conference', room: found.room });
    if (found.kind === 'refusal') throw new CallRefusedError(found.refusal, found.steps.at(-1) ?? '');
    if (found.kind === 'code') return this.runCode(found.code);
    this.noteRoute(found.plan);
    return this.toDialPlan(found.plan, found);
  }

  /** The caller as routing sees it. */
  private get caller(): RouteCaller {
    const { user, transfer } = this.invite;
    const { username, status, outside } = user;
    const trunk = transfer?.trunk ?? outside?.trunk;
    return {
      username,
      status,
      number: transfer?.shownAs.user ?? outside?.number ?? outsideNumber(user),
      ...(trunk !== undefined && { trunk }),
    };
  }

  private async runCode({ action, ...code }: DialledCode): Promise<undefined> {
    const { options, invite, call } = this;
    if (invite.transfer || invite.isOriginated)
      throw new CallRefusedError('feature-code-refused', 'a code is nobody to talk to');
    if (action === 'PICKUP' || action === 'PICKUP_GROUP') {
      const { username } = invite.user;
      const { registry, numbering } = options.directory;
      const groups = (await numbering?.groupsOf(username)) ?? [];
      await pickUp(call, username, findPickUp(registry.values(), username, groups, code.argument));
      return undefined;
    }
    return runFeatureCode(options.users, invite.user.username, { ...code, action }, (number) =>
      this.isKnown(number),
    );
  }

  /** Whether calls of the caller's can go to a number at all. */
  private async isKnown(number: string): Promise<boolean> {
    const { username } = this.invite.user;
    const { maxTargets, ringMs } = this.options;
    const found = await findRoute(new CallRouteDirectory(this.options.directory), {
      caller: this.caller,
      scheme: 'tel',
      host: '',
      isLocalHost: true,
      number: normaliseNumber(number),
      diversions: [{ by: username, to: number, reason: 'unconditional' }],
      now: this.options.now(),
      maxTargets,
      ringMs,
    });
    return found.kind !== 'refusal' || !NOT_REACHABLE.includes(found.refusal);
  }

  /** The call goes on to another number: the caller hears it (RFC 3261 §21.1.3), the record has it. */
  private note(diversion: Diversion): void {
    if (this.invite.transfer) return;
    this.call.trail.add({ kind: 'diverted', ...diversion });
    this.call.a.progress(181, { Server: PRODUCT });
  }

  private noteRoute(plan: RoutePlan<RouteTarget<Binding>>): void {
    const { callee, group, outside, room, payer } = plan;
    if (payer) this.takePlace(payer);
    if (this.invite.transfer) return;
    this.call.parties.callee = callee;
    this.call.routedTo = (group ?? outside ?? room) === undefined ? callee : undefined;
    if (group !== undefined) this.options.directory.memory.took(group);
    this.call.trail.add({
      kind: 'routed',
      calleeUri: `sip:${callee}@${this.invite.user.realm}`,
      calleeNumber: callee,
      direction:
        outside !== undefined ? 'OUTBOUND' : this.call.trunkIn !== undefined ? 'INBOUND' : 'INTERNAL',
      ...(outside !== undefined && { route: outside }),
      ...(group !== undefined && { group }),
    });
  }

  /** It counts among the outside calls of who answers for it, until the call ends. */
  private takePlace(payer: PayerFacts): void {
    const place = this.options.trunks?.begin(payer);
    if (!place) throw new CallRefusedError('outside-limit', `${payer.username} has used its limits up`);
    (this.invite.transfer ?? this.call).keep(place);
  }

  private toDialPlan(plan: RoutePlan<RouteTarget<Binding>>, found: FoundRoute<Binding>): DialPlan {
    const { req, from, user, number, transfer } = this.invite;
    const { username, displayName, outside } = user;
    const own = outside
      ? { user: outside.number, displayName, isAnonymous: outside.isAnonymous }
      : {
          user: username,
          displayName: from.displayName || displayName,
          isAnonymous: wantsPrivacy(req, from.uri),
        };
    const caller = transfer?.shownAs ?? own;
    const { diversions } = found;
    return {
      callee: plan.callee,
      headers: {
        ...calleeInviteHeaders(req, caller, plan.callee, this.options.identityHost, this.call.allow),
        ...diversionHeaders(number?.number ?? '', diversions, user.realm),
        ...transfer?.headers,
      },
      rounds: plan.rounds
        .map((round) => this.toDialRound(round, plan.mayDeflect ?? false, caller))
        .filter(({ targets }) => targets.length > 0),
      maxDurationSec: Math.min(
        this.options.maxDurationSec,
        user.features?.maxDurationSec ?? Number.POSITIVE_INFINITY,
        plan.maxDurationSec ?? Number.POSITIVE_INFINITY,
      ),
      divert: (failure) => this.divert(plan, diversions, failure),
    };
  }

  private toDialRound(
    { kind, ringMs, targets, tryMs }: Round<RouteTarget<Binding>>,
    mayDeflect: boolean,
    caller: CallerIdentity,
  ): DialRound {
    const ready = targets.flatMap((target) => {
      if (target.kind === 'phone') return [toTarget(target, mayDeflect)];
      if (target.kind === 'room') return this.toSeat(target);
      const gateway = this.options.trunks?.gateway(target, caller);
      return gateway ? [trunkTarget(gateway)] : [];
    });
    return { kind, ringMs, targets: ready, ...(tryMs !== undefined && { tryMs }) };
  }

  private toSeat({ room }: RoomTarget): CalleeTarget[] {
    const { directory, realm } = this.options;
    const { conferences, registry } = directory;
    if (!conferences) return [];
    const { address } = conferences;
    const uri = `sip:${escapeUser(room)}@${realm};isfocus`;
    const local = new LocalPhone(registry, address, uri);
    local.connect(conferences.seat(room, local, this.caller.trunk));
    return [{ uri, nextHop: undefined, address, port: 0, transport: 'local', local, room }];
  }

  /** What follows when a plan failed: another plan, another end, or nothing but the failure itself. */
  private divert(
    plan: RoutePlan<unknown>,
    former: readonly Diversion[],
    failure: FailureKind | { readonly deflectTo: string },
  ): Promise<NextPlan> | undefined {
    const diversion =
      typeof failure === 'string'
        ? plan.onFailure[failure]
        : this.deflection(plan.callee, former, failure.deflectTo);
    return diversion && this.goOn(diversion, former);
  }

  /** A 3xx is followed to our own numbers only (RFC 3261 §8.1.3.4): elsewhere somebody might have to pay. */
  private deflection(by: string, former: readonly Diversion[], contact: string): Diversion | undefined {
    const uri = parseUri(contact);
    const to = numberOf(contact);
    const isOurs = uri?.scheme === 'tel' || (uri?.host !== undefined && this.options.isLocalHost(uri.host));
    const diversion = { by, to, reason: 'deflection' } as const;
    const fault = diversionFault(diversion, former, this.invite.user.username);
    const why = !isOurs || !normaliseNumber(to) ? 'the Contact is no number of ours' : fault?.why;
    if (why !== undefined) this.call.log.info({ why }, 'a deflection is not followed');
    return why === undefined ? diversion : undefined;
  }

  private async goOn(diversion: Diversion, former: readonly Diversion[]): Promise<NextPlan> {
    this.note(diversion);
    const to = { scheme: 'tel', host: '', isLocalHost: true, number: normaliseNumber(diversion.to) };
    try {
      const plan = await this.follow({ ...to, diversions: [...former, diversion] });
      return plan ? { plan } : { end: { cause: causeOf('server-error'), by: 'SERVER' } };
    } catch (error) {
      if (error instanceof CallRefusedError) return { end: { cause: error.refusal, by: 'SERVER' } };
      this.call.log.warn({ err: error }, 'a forwarding could not be followed');
      return { end: { cause: causeOf('store-unavailable'), by: 'SERVER' } };
    }
  }
}

/** What a forwarding set from the phone may not lead to. */
const NOT_REACHABLE: readonly string[] = [
  'callee-unknown',
  'address-incomplete',
  'outside-not-allowed',
  'destination-barred',
];

/** The number by which a subscriber is known outside: its telephone number where it has one that can be dialled. */
export function outsideNumber({ phone = '', username }: Pick<RoutedCaller, 'phone' | 'username'>): string {
  return /^\+?\d{3,15}$/.test(phone) ? phone : username;
}

function trunkTarget(gateway: TrunkGateway): CalleeTarget {
  const { uri, host, port, transport, headers, limits } = gateway;
  return { uri, nextHop: undefined, address: host, port, transport, headers, limits, trunk: gateway };
}

/** A registered phone as a target of a call. */
export function toTarget(
  { username, binding, limits }: PhoneTarget<Binding>,
  mayDeflect: boolean,
): CalleeTarget {
  const { contact, address, port, protocol, path } = binding;
  const nextHop = routeUrlFor(binding);
  const target = { uri: contact, nextHop, address, port, transport: protocol, username, mayDeflect };
  return { ...target, ...(limits && { limits }), ...(path && { headers: routeHeaders(binding) }) };
}
