import { withDeadline } from '../platform/deadline.js';
import type { Binding } from '../registrar/types.js';
import { diversionFault } from '../routing/diversions.js';
import type { DialledCode } from '../routing/feature-codes.js';
import { type FoundRoute, findRoute, type RouteRequest } from '../routing/find-route.js';
import { normaliseNumber } from '../routing/number.js';
import type { PayerFacts } from '../routing/outside-types.js';
import { sayStep } from '../routing/steps.js';
import type { Diversion, FailureKind, RouteCaller, RoutePlan, RouteTarget } from '../routing/types.js';
import { numberOf } from '../signalling/request.js';
import { parseUri } from '../sip/uri.js';
import type { Call } from './call.js';
import { causeOf } from './causes.js';
import { DialTargets } from './dial-targets.js';
import { diversionHeaders } from './diversion-headers.js';
import { CallRefusedError } from './errors.js';
import { runFeatureCode } from './feature-codes.js';
import { calleeInviteHeaders, PRODUCT, wantsPrivacy } from './header-policy.js';
import type { DialPlan, NextPlan } from './hunt.js';
import { findPickUp, pickUp } from './pick-up.js';
import { CallRouteDirectory } from './route-directory.js';
import { type CallRouterOptions, outsideNumber, type RoutedInvite } from './routed-invite.js';

/** Longest wait for the directory inside an INVITE; its services answer from memory when the Store is away. */
const LOOKUP_TIMEOUT_MS = 4000;

/** Finds the way of one call, at its start and at every forwarding, and writes down where it leads. */
export class CallRouter {
  private readonly targets: DialTargets;

  constructor(
    private readonly options: CallRouterOptions,
    private readonly invite: RoutedInvite,
    private readonly call: Call,
  ) {
    this.targets = new DialTargets(options, () => this.caller.trunk);
  }

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
    if (call.log.isLevelEnabled('debug')) call.log.debug({ steps: found.steps.map(sayStep) }, 'routed');
    for (const diversion of found.diversions.slice(to.diversions.length)) this.note(diversion);
    if (found.room !== undefined && !this.invite.transfer)
      call.trail.add({ kind: 'conference', room: found.room });
    const last = found.steps.at(-1);
    if (found.kind === 'refusal') throw new CallRefusedError(found.refusal, last ? sayStep(last) : '');
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
        .map((round) => this.targets.round(round, plan.mayDeflect ?? false, caller))
        .filter(({ targets }) => targets.length > 0),
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
    const why =
      !isOurs || !normaliseNumber(to) ? 'the Contact is no number of ours' : fault && sayStep(fault.why);
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
