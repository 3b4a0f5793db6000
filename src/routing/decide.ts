import { decideGroup } from './decide-group.js';
import { decideOutside } from './decide-outside.js';
import { decideRoom } from './decide-room.js';
import { decideUser } from './decide-user.js';
import { ruleAt } from './time-rules.js';
import type { NumberEntry, RoutableBinding, RouteDecision, RouteFacts, RouteRefusal } from './types.js';

const SCHEMES = ['sip', 'sips', 'tel'];

/**
 * Decides where a call goes. Pure: the same facts give the same decision.
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
  if (facts.diversions.length === 0) steps.push(`caller ${facts.caller.username} may call`);

  // RFC 3261 §8.2.2.1
  if (!SCHEMES.includes(facts.scheme))
    return refuse('scheme-unsupported', `scheme ${facts.scheme} is not served`);
  if (facts.number === undefined) return refuse('address-incomplete', 'the Request-URI has no usable number');
  if (facts.scheme !== 'tel' && !facts.isLocalHost)
    return refuse('foreign-domain', `host ${facts.host} is not served here`);

  if (facts.code) {
    const { action, argument } = facts.code;
    steps.push(
      `${facts.number} is the feature code ${action}${argument === undefined ? '' : ` with ${argument}`}`,
    );
    return { kind: 'code', code: facts.code, steps };
  }
  const alias = facts.entry && aliasOf(facts.entry, facts.now, steps);
  if (alias !== undefined) return { kind: 'alias', to: alias, steps };
  const { destination } = facts;
  if (!destination && facts.room) return decideRoom(facts, facts.room, steps);
  if (!destination && facts.outside) return decideOutside(facts.number, facts.ringMs, facts.outside, steps);
  if (!destination) return refuse('callee-unknown', `no subscriber, group or short number ${facts.number}`);
  if (destination.kind === 'group') return decideGroup(facts, destination, steps);
  steps.push(`number ${facts.number} is subscriber ${destination.user.username}`);
  return decideUser(facts, destination.user, steps);
}

/** Where a number of the table leads now; undefined when it stands for itself. */
function aliasOf(entry: NumberEntry, now: number, steps: string[]): string | undefined {
  const rule = ruleAt(entry, now);
  if (rule) {
    steps.push(`number ${entry.number} leads to ${rule.to} at this time (${rule.zone})`);
    return rule.to;
  }
  if (entry.to === undefined) steps.push(`number ${entry.number}: no time rule holds now`);
  else steps.push(`number ${entry.number} leads to ${entry.to}`);
  return entry.to;
}
