import type { Logger } from '../../platform/logger.js';
import type { RelayUse } from '../types.js';
import type { RelayNode } from './relay-node.js';

/** A relay and how it is used. */
interface Member {
  readonly node: RelayNode;
  use: RelayUse;
  /** What it has waited for by its weight: who has most is next. */
  credit: number;
}

/** The relays that calls may go to: by weight in turn, those of weight 0 when the others fail, those out of service for their calls alone. */
export class RelayNodes {
  private readonly members = new Map<string, Member>();
  /** Taken out; they stay for their calls. Another may have the name by now. */
  private readonly leaving = new Set<RelayNode>();

  constructor(private readonly log: Logger) {}

  /** Relays in use, those on their way out left away. */
  list(): (RelayUse & { readonly node: RelayNode })[] {
    return [...this.members.values()].map(({ node, use }) => ({ node, ...use }));
  }

  /** The relay of that name, at `url` when one is given, in use or on its way out. */
  find(name: string, url?: string): RelayNode | undefined {
    const nodes = [...this.list().map(({ node }) => node), ...this.leaving];
    return nodes.find((node) => node.name === name && (url === undefined || node.controlUrl === url));
  }

  /** Puts a relay to use, one that was on its way out as well. No other in use has its name. */
  add(node: RelayNode, use: RelayUse): void {
    this.leaving.delete(node);
    this.members.set(node.name, { node, use, credit: 0 });
  }

  use(name: string, use: RelayUse): void {
    const member = this.members.get(name);
    if (member) member.use = use;
  }

  /** Takes a relay out at once; it is closed when it has no call, see `left`. */
  async remove(name: string, callsOf: (node: RelayNode) => number): Promise<void> {
    const node = this.members.get(name)?.node;
    if (!node) return;
    this.members.delete(name);
    if (callsOf(node) === 0) await node.close();
    else this.leaving.add(node);
  }

  /** Whether it only waits for its last call. */
  isLeaving(node: RelayNode): boolean {
    return this.leaving.has(node);
  }

  /** The last call of a relay that was taken out has left it. Never rejects. */
  left(node: RelayNode): void {
    if (!this.leaving.delete(node)) return;
    node.close().catch((error: unknown) => this.log.debug({ err: error }, 'media relay not closed'));
  }

  /**
   * Relays to try, best first: the call's own, then those that answer by weight, then reserves, last those that failed lately.
   * Smooth weighted round robin: of weights 2 and 1 every third call goes to the second.
   */
  choose(current: RelayNode | undefined): RelayNode[] {
    const usable = [...this.members.values()].filter(({ node, use }) => use.active && node !== current);
    if (current && usable.length === 0) return [current];
    const [weighted, reserves] = [
      usable.filter(({ use }) => use.weight > 0),
      usable.filter(({ use }) => use.weight === 0),
    ];
    const answering = weighted.filter(({ node }) => !node.isShunned);
    let total = 0;
    for (const member of answering) {
      member.credit += member.use.weight;
      total += member.use.weight;
    }
    answering.sort((one, other) => other.credit - one.credit);
    if (answering[0]) answering[0].credit -= total;
    const shunned = [...weighted, ...reserves].filter(({ node }) => node.isShunned);
    if (shunned.length > 0)
      this.log.debug({ relays: shunned.map(({ node }) => node.name) }, 'media relays tried last');
    const ready = reserves.filter(({ node }) => !node.isShunned);
    const others = [...answering, ...ready, ...shunned].map(({ node }) => node);
    return current ? [current, ...others] : others;
  }

  async close(): Promise<void> {
    const nodes = [...this.members.values()].map(({ node }) => node);
    nodes.push(...this.leaving);
    this.leaving.clear();
    await Promise.all(nodes.map((node) => node.close()));
  }
}
