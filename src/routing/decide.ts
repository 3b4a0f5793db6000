import { decideGroup } from './decide-group.js';
import { decideOutside } from './decide-outside.js';
import { decideRoom } from './decide-room.js';
import { decideUser } from './decide-user.js';
import { type RouteStep, step } from './steps.js';
import { ruleAt } from './time-rules.js';
import type { NumberEntry, RoutableBinding, RouteDecision, RouteFacts, RouteRefusal } from './types.js';

const SCHEMES = ['sip', 'sips', 'tel'];

/**
 * Decides where a call goes. Pure: the same facts give the same decision.
 * A call to one's own number rings one's phones, as any other does.
 */
export function decideRoute<B extends RoutableBinding>(facts: RouteFacts<B>): RouteDecision<B> {
  const steps: RouteStep[] = [];
  const refuse = (refusal: RouteRefusal, why: RouteStep): RouteDecision<B> => {
    steps.push(why);
    return { kind: 'refusal', refusal, steps };
  };

  const { username, status } = facts.caller;
  if (status !== 'ACTIVE')
    return refuse('caller-suspended', step('callerStatus', { user: username, status }));
  if (facts.diversions.length === 0) steps.push(step('callerMayCall', { user: username }));

  // RFC 3261 §8.2.2.1
  if (!SCHEMES.includes(facts.scheme))
    return refuse('scheme-unsupported', step('schemeNotServed', { scheme: facts.scheme }));
  if (facts.number === undefined) return refuse('address-incomplete', step('noNumber', {}));
  if (facts.scheme !== 'tel' && !facts.isLocalHost)
    return refuse('foreign-domain', step('hostNotServed', { host: facts.host }));

  if (facts.code) {
    const { action, argument } = facts.code;
    steps.push(
      argument === undefined
        ? step('featureCode', { number: facts.number, action })
        : step('featureCodeWith', { number: facts.number, action, argument }),
    );
    return { kind: 'code', code: facts.code, steps };
  }
  const alias = facts.entry && aliasOf(facts.entry, facts.now, steps);
  if (alias !== undefined) return { kind: 'alias', to: alias, steps };
  const { destination } = facts;
  if (!destination && facts.room) return decideRoom(facts, facts.room, steps);
  if (!destination && facts.outside) return decideOutside(facts.number, facts.ringMs, facts.outside, steps);
  if (!destination) return refuse('callee-unknown', step('numberUnknown', { number: facts.number }));
  if (destination.kind === 'group') return decideGroup(facts, destination, steps);
  steps.push(step('numberIsUser', { number: facts.number, user: destination.user.username }));
  return decideUser(facts, destination.user, steps);
}

/** Where a number of the table leads now; undefined when it stands for itself. */
function aliasOf(entry: NumberEntry, now: number, steps: RouteStep[]): string | undefined {
  const { number, to } = entry;
  const rule = ruleAt(entry, now);
  if (rule) {
    steps.push(step('numberLeadsNow', { number, to: rule.to, zone: rule.zone }));
    return rule.to;
  }
  steps.push(to === undefined ? step('numberLeadsNowhere', { number }) : step('numberLeads', { number, to }));
  return to;
}
