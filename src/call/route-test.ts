import type { UserService } from '../accounts/types.js';
import type { Binding } from '../registrar/types.js';
import { type FoundRoute, findRoute } from '../routing/find-route.js';
import { normaliseNumber } from '../routing/number.js';
import type { RouteTarget } from '../routing/types.js';
import { causeOf } from './causes.js';
import { diversionHeaders } from './diversion-headers.js';
import type { CallRouterOptions } from './route-call.js';
import { CallRouteDirectory } from './route-directory.js';
import type { TrunkPort } from './trunk-port.js';
import type { RouteReport, RouteService } from './types.js';

/** Says where a call would go, without calling: the same decision on the same facts. */
export class RouteTester implements RouteService {
  constructor(
    private readonly users: Pick<UserService, 'authData'>,
    private readonly options: CallRouterOptions,
  ) {}

  async explain(from: string, to: string, ip?: string): Promise<RouteReport> {
    const { options } = this;
    const user = await this.users.authData(from);
    const start = [
      ...(ip === undefined ? [] : [`a caller at ${ip} has to show its password`]),
      ...(user ? [] : [`no subscriber ${from}: the caller would not pass its authentication`]),
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
    const found = await findRoute(new CallRouteDirectory(options.directory), {
      caller: { username: user.username, status: user.status },
      scheme: 'tel',
      host: '',
      isLocalHost: true,
      number: normaliseNumber(to),
      diversions: [],
      now: options.now(),
      maxTargets: options.maxTargets,
      ringMs: options.ringMs,
    });
    return toReport(found, start, normaliseNumber(to)?.number ?? '', options);
  }
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
  const { contact, address, port, protocol } = target.binding;
  return { username: target.username, contact, address: `${address}:${port}/${protocol}` };
}

function toReport(
  found: FoundRoute<Binding>,
  start: string[],
  dialled: string,
  { realm, trunks }: CallRouterOptions,
): RouteReport {
  const steps = [...start, ...found.steps];
  const base = { steps, rounds: [], onFailure: [], headers: headerLines(dialled, found, realm) };
  if (found.kind === 'refusal')
    return { ...base, outcome: found.refusal, status: causeOf(found.refusal).status };
  if (found.kind === 'code') return { ...base, outcome: found.code.action };
  const { plan } = found;
  return {
    ...base,
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
