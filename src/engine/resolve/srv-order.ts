import type { SrvRecord } from './dns-message.js';

/**
 * The order in which servers are tried (RFC 2782): lowest priority first, and within one priority by chance, in
 * proportion to the weights. `random` gives 0 up to but not including 1.
 */
export function orderServers(records: readonly SrvRecord[], random: () => number = Math.random): SrvRecord[] {
  const byPriority = new Map<number, SrvRecord[]>();
  for (const record of records) {
    const group = byPriority.get(record.priority);
    if (group) group.push(record);
    else byPriority.set(record.priority, [record]);
  }
  return [...byPriority]
    .sort(([a], [b]) => a - b)
    .flatMap(([, group]) => (group.length === 1 ? group : drawAll(group, random)));
}

/** Draws one after another. Those of weight 0 stand in front, so that they are drawn on a 0 alone. */
function drawAll(group: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = [...group].sort((a, b) => Math.sign(a.weight) - Math.sign(b.weight));
  const drawn: SrvRecord[] = [];
  while (left.length > 0) drawn.push(...left.splice(draw(left, random), 1));
  return drawn;
}

/** RFC 2782: a number from 0 to the sum of weights, both included; the first whose running sum reaches it. */
function draw(left: readonly SrvRecord[], random: () => number): number {
  const total = left.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = Math.floor(random() * (total + 1));
  let sum = 0;
  return left.findIndex(({ weight }) => {
    sum += weight;
    return sum >= drawn;
  });
}
