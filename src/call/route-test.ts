import type { UserService } from '../accounts/types.js';
import type { Binding } from '../registrar/types.js';
import { type FoundRoute, findRoute } from '../routing/find-route.js';
import { normaliseNumber } from '../routing/number.js';
import { type RouteStep, step } from '../routing/steps.js';
import type { RouteCaller, RouteTarget } from '../routing/types.js';
import { causeOf } from './causes.js';
import { diversionHeaders } from './diversion-headers.js';
import { CallRouteDirectory } from './route-directory.js';
import { type CallRouterOptions, outsideNumber } from './routed-invite.js';
import type { ImaginedCall, TrunkPort } from './trunk-port.js';
import type { RouteReport, RouteService } from './types.js';

/** Says where a call would go, without calling: the same decision on the same facts. */
export class RouteTester implements RouteService {
  constructor(
    private readonly users: Pick<UserService, 'authData'>,
    private readonly options: CallRouterOptions,
  ) {}

  async explain(from: string, to: string, ip?: string): Promise<RouteReport> {
    const { options } = this;
    const imagined = ip === undefined ? undefined : options.trunks?.imagine(ip, to, from);
    if (imagined) return this.explainTrunk(imagined);
    const user = await this.users.authData(from);
    const start = [
      ...(ip === undefined ? [] : [step('callerNeedsPassword', { address: ip })]),
      ...(user ? [] : [step('callerUnknown', { user: from })]),
    ];
    if (!user)
      return {
        outcome: 'authentication-failed',
        status: 407,
        steps: start,
        rounds: [],
        onFailure: [],
        headers: [],
      };
    const { username, status, displayName } = user;
    const caller = { username, status, number: outsideNumber(user) };
    return this.report(caller, to, start, displayName);
  }

  private explainTrunk({ trunk, called, caller: number, steps }: ImaginedCall): Promise<RouteReport> {
    const caller: RouteCaller = { username: `${trunk}:${number}`, status: 'ACTIVE', trunk, number };
    return this.report(caller, called, steps, '');
  }

  private async report(
    caller: RouteCaller,
    to: string,
    start: readonly RouteStep[],
    displayName: string,
  ): Promise<RouteReport> {
    const { options } = this;
    const number = normaliseNumber(to);
    const found = await findRoute(new CallRouteDirectory(options.directory), {
      caller,
      scheme: 'tel',
      host: '',
      isLocalHost: true,
      number,
      diversions: [],
      now: options.now(),
      maxTargets: options.maxTargets,
      ringMs: options.ringMs,
    });
    return toReport(found, start, number?.number ?? '', displayName, options);
  }
}

/** What a trunk would be sent: the request line and the headers that say who calls. */
function trunkLines(
  target: RouteTarget<Binding>,
  displayName: string,
  trunks: TrunkPort | undefined,
): string[] {
  if (target.kind !== 'trunk') return [];
  const gateway = trunks?.gateway(target, { displayName, isAnonymous: false });
  if (!gateway) return [];
  const headers = Object.entries(gateway.headers).filter(([, value]) => value !== undefined);
  return [
    `${gateway.name}: INVITE ${gateway.uri} SIP/2.0`,
    ...headers.map(([name, value]) => `${gateway.name}: ${name}: ${String(value)}`),
  ];
}

function placeOf(
  target: RouteTarget<Binding>,
  trunks: TrunkPort | undefined,
): Pick<RouteReport['rounds'][number], 'username' | 'contact' | 'address'> {
  if (target.kind === 'trunk') {
    const gateway = trunks?.gateway(target, { displayName: '', isAnonymous: false });
    const { uri = '', host = '', port = 0, transport = '' } = gateway ?? {};
    return { username: target.trunk, contact: uri, address: `${host}:${port}/${transport}` };
  }
  if (target.kind === 'room')
    return { username: target.room, contact: `room ${target.room}`, address: 'conference' };
  const { contact, address, port, protocol } = target.binding;
  return { username: target.username, contact, address: `${address}:${port}/${protocol}` };
}

function toReport(
  found: FoundRoute<Binding>,
  start: readonly RouteStep[],
  dialled: string,
  displayName: string,
  { realm, trunks }: CallRouterOptions,
): RouteReport {
  const steps = [...start, ...found.steps];
  const base = { steps, rounds: [], onFailure: [], headers: headerLines(dialled, found, realm) };
  if (found.kind === 'refusal')
    return { ...base, outcome: found.refusal, status: causeOf(found.refusal).status };
  if (found.kind === 'code') return { ...base, outcome: found.code.action };
  const { plan } = found;
  const sent = plan.rounds.flatMap(({ targets }) =>
    targets.flatMap((target) => trunkLines(target, displayName, trunks)),
  );
  return {
    ...base,
    headers: [...base.headers, ...sent],
    outcome: 'rings',
    callee: plan.callee,
    rounds: plan.rounds.flatMap(({ kind, targets, ringMs }, i) =>
      targets.map((target) => ({ round: i + 1, kind, ringSec: ringMs / 1000, ...placeOf(target, trunks) })),
    ),
    onFailure: Object.entries(plan.onFailure).map(([failure, { by, to, reason }]) => ({
      failure,
      by,
      to,
      reason,
    })),
  };
}

/** Diversion and History-Info as the phones would get them. */
function headerLines(dialled: string, { diversions }: FoundRoute<Binding>, realm: string): string[] {
  return Object.entries(diversionHeaders(dialled, diversions, realm)).flatMap(([name, values]) =>
    (values as readonly string[]).map((value) => `${name}: ${value}`),
  );
}
