import type { RoutableBinding, RouteDecision, RouteFacts, RouteRefusal } from './types.js';

const SCHEMES = ['sip', 'sips', 'tel'];

/**
 * Decides where a call goes. Pure: the same facts give the same decision.
 * All phones of the callee ring at once, ordered by q (RFC 3261 §16.5) and then by the newest registration.
 * A call to one's own number rings one's phones, as any other does.
 */
export function decideRoute<B extends RoutableBinding>(facts: RouteFacts<B>): RouteDecision<B> {
  const steps: string[] = [];
  const refuse = (refusal: RouteRefusal, why: string): RouteDecision<B> => {
    steps.push(why);
    return { kind: 'refusal', refusal, steps };
  };

  if (facts.caller.status !== 'ACTIVE')
    return refuse('caller-suspended', `caller ${facts.caller.username} is ${facts.caller.status}`);
  steps.push(`caller ${facts.caller.username} may call`);

  // RFC 3261 §8.2.2.1
  if (!SCHEMES.includes(facts.scheme))
    return refuse('scheme-unsupported', `scheme ${facts.scheme} is not served`);
  if (facts.number === undefined) return refuse('address-incomplete', 'the Request-URI has no usable number');
  if (facts.scheme !== 'tel' && !facts.isLocalHost)
    return refuse('foreign-domain', `host ${facts.host} is not served here`);

  if (!facts.callee) return refuse('callee-unknown', `no subscriber ${facts.number}`);
  const { username, status, bindings } = facts.callee;
  steps.push(`number ${facts.number} is subscriber ${username}`);
  if (status !== 'ACTIVE') return refuse('callee-suspended', `subscriber ${username} is ${status}`);
  if (bindings.length === 0)
    return refuse('callee-not-registered', `subscriber ${username} has no phone registered`);

  const targets = [...bindings]
    .sort((x, y) => y.q - x.q || y.registeredAt - x.registeredAt)
    .slice(0, facts.maxTargets)
    .map((binding) => ({ kind: 'phone', username, binding }) as const);
  steps.push(`${targets.length} of ${bindings.length} registered phones ring together`);
  const rounds = [{ kind: 'phones', targets, ringMs: facts.ringMs }] as const;
  return { kind: 'plan', plan: { callee: username, rounds, onFailure: {} }, steps };
}
