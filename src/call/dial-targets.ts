import { routeHeaders, routeUrlFor } from '../registrar/route-url.js';
import type { Binding } from '../registrar/types.js';
import type { PhoneTarget, RoomTarget, Round, RouteTarget } from '../routing/types.js';
import { escapeUser } from '../sip/escape.js';
import type { CalleeTarget } from './fork-outcome.js';
import type { CallerIdentity } from './header-policy.js';
import type { DialRound } from './hunt.js';
import { LocalPhone } from './local-phone.js';
import type { CallRouterOptions } from './routed-invite.js';
import type { TrunkGateway } from './trunk-port.js';

/** Makes of where a plan leads what can be rung: phones, gateways of trunks, seats in conference rooms. */
export class DialTargets {
  /** `fromTrunk` tells the trunk that the caller is beyond. */
  constructor(
    private readonly options: Pick<CallRouterOptions, 'trunks' | 'directory' | 'realm'>,
    private readonly fromTrunk: () => string | undefined,
  ) {}

  /** A round of a plan; ways outside that are not to be had are left out of it. */
  round(
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
    local.connect(conferences.seat(room, local, this.fromTrunk()));
    return [{ uri, nextHop: undefined, address, port: 0, transport: 'local', local, room }];
  }
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
