import {
  CALL_CLASSES,
  type GatewayFacts,
  type OutsideFacts,
  type OutsideRoute,
  type PayerFacts,
  type TrunkTarget,
} from './outside-types.js';
import { translate } from './translate.js';
import type { Round, RoutableBinding, RouteDecision, RouteRefusal } from './types.js';
import { weightedOrder } from './weighted-order.js';

/** Most gateways that one call tries. */
const MAX_TRIES = 8;

/** Where a call to a number beyond our own goes: to the trunks of its route, one after another. `steps` is added to. */
export function decideOutside<B extends RoutableBinding>(
  number: string,
  ringMs: number,
  facts: OutsideFacts,
  steps: string[],
): RouteDecision<B> {
  const { route } = facts;
  steps.push(`no subscriber, group or short number ${number}; ${describe(route)} has it`);
  const fault = routeFault(route) ?? originFault(facts) ?? payerFault(number, route, facts.payer);
  if (fault) {
    steps.push(fault.why);
    return { kind: 'refusal', refusal: fault.refusal, steps };
  }
  steps.push(permission(facts));
  const usable = gatewaysInOrder(facts, steps);
  if (usable.ready.length === 0) {
    const refusal = usable.isFull ? 'trunks-full' : 'trunks-down';
    steps.push(`no trunk of route ${route.name} takes the call`);
    return { kind: 'refusal', refusal, steps };
  }
  const rounds = usable.ready.map((gateway) => roundOf(gateway, number, ringMs, facts, steps));
  const { payer } = facts;
  const plan = { callee: number, outside: route.name, rounds, onFailure: {}, ...(payer && { payer }) };
  return { kind: 'plan', plan, steps };
}

function permission({ payer, origin, isForwarded, route }: OutsideFacts): string {
  if (payer) return `${payer.username} may call ${route.callClass} numbers`;
  if (origin && !isForwarded) return `calls from trunk ${origin.name} may go out again`;
  return 'the way was set by an operator: no limits of a subscriber';
}

interface Fault {
  readonly refusal: RouteRefusal;
  readonly why: string;
}

function describe({ name, prefix, pattern, callClass }: OutsideRoute): string {
  const which = pattern === undefined ? `prefix '${prefix ?? ''}'` : `pattern ${pattern}`;
  return `route ${name} (${which}, ${callClass})`;
}

function routeFault({ name, trunks }: OutsideRoute): Fault | undefined {
  if (trunks.length > 0) return undefined;
  return { refusal: 'destination-barred', why: `route ${name} bars these numbers` };
}

/** A trunk is no way from one carrier to another, unless the operator wants that. */
function originFault({ origin, isForwarded }: OutsideFacts): Fault | undefined {
  if (!origin || isForwarded || origin.mayTransit) return undefined;
  return { refusal: 'transit-refused', why: `calls from trunk ${origin.name} may not go out again` };
}

function payerFault(number: string, { callClass }: OutsideRoute, payer?: PayerFacts): Fault | undefined {
  if (!payer) return undefined;
  const { username, right, allowed } = payer;
  if (right === 'NONE' || CALL_CLASSES.indexOf(right) < CALL_CLASSES.indexOf(callClass))
    return { refusal: 'outside-not-allowed', why: `${username} may call ${right}, not ${callClass}` };
  if (allowed.length > 0 && !allowed.some((prefix) => number.startsWith(prefix)))
    return {
      refusal: 'outside-not-allowed',
      why: `${username} may call numbers beginning with ${allowed.join(', ')} only`,
    };
  for (const [count, limit, what] of [
    [payer.calls, payer.maxCalls, 'outside calls are up'],
    [payer.hour, payer.maxHour, 'outside calls were begun in an hour'],
    [payer.day, payer.maxDay, 'outside calls were begun in a day'],
  ] as const)
    if (count >= limit) return { refusal: 'outside-limit', why: `${username}: ${count} of ${limit} ${what}` };
  return undefined;
}

/** The gateways to try, in turn; `isFull` when one would take the call but for its limits. */
function gatewaysInOrder(
  { route, gateways, origin, draws }: OutsideFacts,
  steps: string[],
): { readonly ready: GatewayFacts[]; readonly isFull: boolean } {
  let drawn = 0;
  const order = weightedOrder(route.trunks, () => draws[drawn++ % draws.length] ?? 0);
  const ready: GatewayFacts[] = [];
  let isFull = false;
  for (const { trunk, priority } of order) {
    const gateway = gateways.find(({ name }) => name === trunk);
    const full = gateway && fullness(gateway);
    const why =
      gateway === undefined
        ? 'does not exist'
        : (gateway.down ??
          (origin?.name === trunk && !gateway.mayReturn ? 'is where the call came from' : full));
    if (why !== undefined) {
      steps.push(`trunk ${trunk} ${why}: skipped`);
      isFull ||= why === full;
    } else if (gateway && ready.length < MAX_TRIES) {
      steps.push(`try ${ready.length + 1}: trunk ${trunk}, priority ${priority}`);
      ready.push(gateway);
    }
  }
  return { ready, isFull };
}

function fullness({ calls, maxCalls, rate, maxRate }: GatewayFacts): string | undefined {
  if (maxCalls !== undefined && calls >= maxCalls) return `has ${calls} of ${maxCalls} calls`;
  if (maxRate !== undefined && rate >= maxRate) return `began ${rate} of ${maxRate} calls this second`;
  return undefined;
}

function roundOf(
  { name, rules, tryMs }: GatewayFacts,
  number: string,
  ringMs: number,
  { callerNumber }: OutsideFacts,
  steps: string[],
): Round<TrunkTarget> {
  const called = translate(number, rules, 'OUT', 'CALLED');
  const caller = translate(callerNumber, rules, 'OUT', 'CALLER');
  if (called.rule !== undefined)
    steps.push(`${name}: called ${number} becomes ${called.number} (translation ${called.rule})`);
  if (caller.rule !== undefined)
    steps.push(`${name}: caller ${callerNumber} becomes ${caller.number} (translation ${caller.rule})`);
  const target: TrunkTarget = {
    kind: 'trunk',
    trunk: name,
    called: called.number,
    caller: caller.number,
  };
  return { kind: 'trunk', targets: [target], ringMs, tryMs };
}
