import {
  CALL_CLASSES,
  type GatewayFacts,
  type OriginTrunk,
  type OutsideFacts,
  type OutsideRoute,
  type PayerFacts,
  type TrunkTarget,
} from './outside-types.js';
import { type RouteStep, step } from './steps.js';
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
  steps: RouteStep[],
): RouteDecision<B> {
  const { route } = facts;
  steps.push(describe(number, route));
  const fault = routeFault(route) ?? originFault(facts) ?? payerFault(number, route, facts.payer);
  if (fault) {
    steps.push(fault.why);
    return { kind: 'refusal', refusal: fault.refusal, steps };
  }
  steps.push(permission(facts));
  const usable = gatewaysInOrder(facts, steps);
  if (usable.ready.length === 0) {
    const refusal = usable.isFull ? 'trunks-full' : 'trunks-down';
    steps.push(step('noTrunkLeft', { route: route.name }));
    return { kind: 'refusal', refusal, steps };
  }
  const rounds = usable.ready.map((gateway) => roundOf(gateway, number, ringMs, facts, steps));
  const { payer } = facts;
  const plan = { callee: number, outside: route.name, rounds, onFailure: {}, ...(payer && { payer }) };
  return { kind: 'plan', plan, steps };
}

function permission({ payer, origin, isForwarded, route }: OutsideFacts): RouteStep {
  if (payer) return step('payerMayCall', { user: payer.username, callClass: route.callClass });
  if (origin && !isForwarded) return step('transitAllowed', { trunk: origin.name });
  return step('nobodyPays', {});
}

interface Fault {
  readonly refusal: RouteRefusal;
  readonly why: RouteStep;
}

function describe(number: string, { name: route, prefix = '', pattern, callClass }: OutsideRoute): RouteStep {
  return pattern === undefined
    ? step('outsideByPrefix', { number, route, prefix, callClass })
    : step('outsideByPattern', { number, route, pattern, callClass });
}

function routeFault({ name, trunks }: OutsideRoute): Fault | undefined {
  if (trunks.length > 0) return undefined;
  return { refusal: 'destination-barred', why: step('routeBars', { route: name }) };
}

/** A trunk is no way from one carrier to another, unless the operator wants that. */
function originFault({ origin, isForwarded }: OutsideFacts): Fault | undefined {
  if (!origin || isForwarded || origin.mayTransit) return undefined;
  return { refusal: 'transit-refused', why: step('transitRefused', { trunk: origin.name }) };
}

function payerFault(number: string, { callClass }: OutsideRoute, payer?: PayerFacts): Fault | undefined {
  if (!payer) return undefined;
  const { username: user, right, allowed } = payer;
  if (right === 'NONE' || CALL_CLASSES.indexOf(right) < CALL_CLASSES.indexOf(callClass))
    return { refusal: 'outside-not-allowed', why: step('classNotAllowed', { user, right, callClass }) };
  if (allowed.length > 0 && !allowed.some((prefix) => number.startsWith(prefix)))
    return {
      refusal: 'outside-not-allowed',
      why: step('prefixNotAllowed', { user, prefixes: allowed.join(', ') }),
    };
  for (const [count, most, code] of [
    [payer.calls, payer.maxCalls, 'outsideCallsFull'],
    [payer.hour, payer.maxHour, 'outsideHourFull'],
    [payer.day, payer.maxDay, 'outsideDayFull'],
  ] as const)
    if (count >= most) return { refusal: 'outside-limit', why: step(code, { user, count, most }) };
  return undefined;
}

/** The gateways to try, in turn; `isFull` when one would take the call but for its limits. */
function gatewaysInOrder(
  { route, gateways, origin, draws }: OutsideFacts,
  steps: RouteStep[],
): { readonly ready: GatewayFacts[]; readonly isFull: boolean } {
  let drawn = 0;
  const order = weightedOrder(route.trunks, () => draws[drawn++ % draws.length] ?? 0);
  const ready: GatewayFacts[] = [];
  let isFull = false;
  for (const { trunk, priority } of order) {
    const gateway = gateways.find(({ name }) => name === trunk);
    if (!gateway) {
      steps.push(step('trunkMissing', { trunk }));
      continue;
    }
    const blocked = gateway.down ?? returnFault(gateway, origin);
    const why = blocked ?? fullness(gateway);
    if (why) {
      steps.push(why);
      isFull ||= !blocked;
    } else if (ready.length < MAX_TRIES) {
      steps.push(step('tryTrunk', { turn: ready.length + 1, trunk, priority }));
      ready.push(gateway);
    }
  }
  return { ready, isFull };
}

function returnFault({ name, mayReturn }: GatewayFacts, origin?: OriginTrunk): RouteStep | undefined {
  return origin?.name === name && !mayReturn ? step('trunkIsOrigin', { trunk: name }) : undefined;
}

function fullness({ name: trunk, calls, maxCalls, rate, maxRate }: GatewayFacts): RouteStep | undefined {
  if (maxCalls !== undefined && calls >= maxCalls) return step('trunkFull', { trunk, calls, most: maxCalls });
  if (maxRate !== undefined && rate >= maxRate)
    return step('trunkRateFull', { trunk, calls: rate, most: maxRate });
  return undefined;
}

function roundOf(
  { name, rules, tryMs }: GatewayFacts,
  number: string,
  ringMs: number,
  { callerNumber }: OutsideFacts,
  steps: RouteStep[],
): Round<TrunkTarget> {
  const called = translate(number, rules, 'OUT', 'CALLED');
  const caller = translate(callerNumber, rules, 'OUT', 'CALLER');
  if (called.rule !== undefined)
    steps.push(step('calledBecomes', { trunk: name, number, to: called.number, rule: called.rule }));
  if (caller.rule !== undefined)
    steps.push(
      step('callerBecomes', { trunk: name, number: callerNumber, to: caller.number, rule: caller.rule }),
    );
  const target: TrunkTarget = {
    kind: 'trunk',
    trunk: name,
    called: called.number,
    caller: caller.number,
  };
  return { kind: 'trunk', targets: [target], ringMs, tryMs };
}
