import type { User, UserService } from '../accounts/types.js';
import { withDeadline } from '../platform/deadline.js';
import { routeUrlFor } from '../registrar/route-url.js';
import type { Binding } from '../registrar/types.js';
import { diversionFault } from '../routing/diversions.js';
import type { DialledCode } from '../routing/feature-codes.js';
import { type FoundRoute, findRoute, type RouteRequest } from '../routing/find-route.js';
import { type DialledNumber, normaliseNumber } from '../routing/number.js';
import type { Diversion, FailureKind, PhoneTarget, Round, RoutePlan } from '../routing/types.js';
import { numberOf, type Party } from '../signalling/request.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import type { SrfRequest } from '../signalling/srf-types.js';
import { parseUri } from '../sip/uri.js';
import type { Call } from './call.js';
import { causeOf } from './causes.js';
import { diversionHeaders } from './diversion-headers.js';
import { CallRefusedError } from './errors.js';
import { runFeatureCode } from './feature-codes.js';
import type { CalleeTarget } from './fork-outcome.js';
import { type CallerIdentity, calleeInviteHeaders, PRODUCT, wantsPrivacy } from './header-policy.js';
import type { DialPlan, DialRound, NextPlan } from './hunt.js';
import { findPickUp, pickUp } from './pick-up.js';
import { CallRouteDirectory, type DirectoryParts } from './route-directory.js';

/** Longest wait for the directory inside an INVITE; its services answer from memory when the Store is away. */
const LOOKUP_TIMEOUT_MS = 4000;

/** What one call is routed by. */
export interface CallRouterOptions {
  readonly users: Pick<UserService, 'modify'>;
  readonly directory: DirectoryParts;
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

/** The INVITE that is routed. */
export interface RoutedInvite {
  readonly req: SrfRequest;
  readonly from: Party;
  readonly user: User;
  readonly scheme: string;
  readonly host: string;
  readonly number: DialledNumber | undefined;
  /** The server begins the call: there is nobody who could hear what a feature code did. */
  readonly isOriginated?: boolean;
  /** A REFER: the phones see who stays in the call, and the call's own way stays what it was. */
  readonly transfer?: { readonly shownAs: CallerIdentity; readonly headers: OutgoingHeaders };
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
    const { username, status } = this.invite.user;
    const { maxTargets, ringMs } = options;
    const directory = new CallRouteDirectory(options.directory, call);
    const request = { ...to, caller: { username, status }, now: options.now(), maxTargets, ringMs };
    const found = await withDeadline(findRoute(directory, request), LOOKUP_TIMEOUT_MS, 'finding the route');
    call.log.debug({ steps: found.steps }, 'routed');
    for (const diversion of found.diversions.slice(to.diversions.length)) this.note(diversion);
    if (found.kind === 'refusal') throw new CallRefusedError(found.refusal, found.steps.at(-1) ?? '');
    if (found.kind === 'code') return this.runCode(found.code);
    this.noteRoute(found.plan);
    return this.toDialPlan(found.plan, found);
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
    const { username, status } = this.invite.user;
    const { maxTargets, ringMs } = this.options;
    const found = await findRoute(new CallRouteDirectory(this.options.directory), {
      caller: { username, status },
      scheme: 'tel',
      host: '',
      isLocalHost: true,
      number: normaliseNumber(number),
      diversions: [{ by: username, to: number, reason: 'unconditional' }],
      now: this.options.now(),
      maxTargets,
      ringMs,
    });
    return found.kind !== 'refusal' || !['callee-unknown', 'address-incomplete'].includes(found.refusal);
  }

  /** The call goes on to another number: the caller hears it (RFC 3261 §21.1.3), the record has it. */
  private note(diversion: Diversion): void {
    if (this.invite.transfer) return;
    this.call.trail.add({ kind: 'diverted', ...diversion });
    this.call.a.progress(181, { Server: PRODUCT });
  }

  private noteRoute({ callee, group }: RoutePlan<unknown>): void {
    if (this.invite.transfer) return;
    this.call.parties.callee = callee;
    this.call.routedTo = group === undefined ? callee : undefined;
    if (group !== undefined) this.options.directory.memory.took(group);
    this.call.trail.add({
      kind: 'routed',
      calleeUri: `sip:${callee}@${this.invite.user.realm}`,
      calleeNumber: callee,
      direction: 'INTERNAL',
      ...(group !== undefined && { group }),
    });
  }

  private toDialPlan(plan: RoutePlan<PhoneTarget<Binding>>, found: FoundRoute<Binding>): DialPlan {
    const { req, from, user, number, transfer } = this.invite;
    const isAnonymous = wantsPrivacy(req, from.uri);
    const own = { user: user.username, displayName: from.displayName || user.displayName, isAnonymous };
    const caller = transfer?.shownAs ?? own;
    const { diversions } = found;
    return {
      callee: plan.callee,
      headers: {
        ...calleeInviteHeaders(req, caller, plan.callee, this.options.identityHost, this.call.allow),
        ...diversionHeaders(number?.number ?? '', diversions, user.realm),
        ...transfer?.headers,
      },
      rounds: plan.rounds.map((round) => toDialRound(round, plan.mayDeflect ?? false)),
      maxDurationSec: Math.min(
        this.options.maxDurationSec,
        user.features?.maxDurationSec ?? Number.POSITIVE_INFINITY,
        plan.maxDurationSec ?? Number.POSITIVE_INFINITY,
      ),
      divert: (failure) => this.divert(plan, diversions, failure),
    };
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

function toDialRound(round: Round<PhoneTarget<Binding>>, mayDeflect: boolean): DialRound {
  const { kind, ringMs, targets } = round;
  return { kind, ringMs, targets: targets.map((target) => toTarget(target, mayDeflect)) };
}

/** A registered phone as a target of a call. */
export function toTarget(
  { username, binding, limits }: PhoneTarget<Binding>,
  mayDeflect: boolean,
): CalleeTarget {
  const { contact, address, port, protocol } = binding;
  const nextHop = routeUrlFor(binding);
  const target = { uri: contact, nextHop, address, port, transport: protocol, username, mayDeflect };
  return { ...target, ...(limits && { limits }) };
}
