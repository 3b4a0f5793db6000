/** Something that is chosen by priority and weight. */
export interface Weighted {
  /** The lowest goes first. */
  readonly priority: number;
  /** Share among those of equal priority; 0 for one that is seldom taken first. */
  readonly weight: number;
}

/**
 * Puts items into the order in which they are tried: by priority, and among equal ones drawn by weight, as RFC 2782 has it
 * for servers. `draw` gives numbers from 0 to below 1.
 */
export function weightedOrder<T extends Weighted>(items: readonly T[], draw: () => number): T[] {
  const priorities = [...new Set(items.map(({ priority }) => priority))].sort((x, y) => x - y);
  return priorities.flatMap((priority) =>
    drawn(
      items.filter((item) => item.priority === priority),
      draw,
    ),
  );
}

function drawn<T extends Weighted>(items: readonly T[], draw: () => number): T[] {
  // RFC 2782: those of weight 0 stand first, so that they have a small chance.
  const left = [...items].sort((x, y) => Math.min(x.weight, 1) - Math.min(y.weight, 1));
  const order: T[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const wanted = Math.floor(draw() * (total + 1));
    let sum = 0;
    const at = left.findIndex((item) => {
      sum += item.weight;
      return sum >= wanted;
    });
    order.push(...left.splice(Math.max(at, 0), 1));
  }
  return order;
}
