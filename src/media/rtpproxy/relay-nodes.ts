import type { Logger } from '../../platform/logger.js';
import type { RelayUse } from '../types.js';
import type { RelayNode } from './relay-node.js';

/** A relay and how it is used. */
interface Member {
  readonly node: RelayNode;
  use: RelayUse;
  /** What it has waited for by its weight: who has most is next. */
  credit: number;
  /** Taken out; stays for its calls. */
  isLeaving: boolean;
}

/** The relays that calls may go to: by weight in turn, those of weight 0 when the others fail, those out of service for their calls alone. */
export class RelayNodes {
  private readonly members = new Map<string, Member>();

  constructor(private readonly log: Logger) {}

  /** Relays in use, those on their way out left away. */
  list(): (RelayUse & { readonly node: RelayNode })[] {
    return [...this.members.values()]
      .filter(({ isLeaving }) => !isLeaving)
      .map(({ node, use }) => ({ node, ...use }));
  }

  find(name: string): RelayNode | undefined {
    return this.members.get(name)?.node;
  }

  /** Adds a relay, or takes one back that was on its way out. */
  add(node: RelayNode, use: RelayUse): void {
    this.members.set(node.name, { node, use, credit: 0, isLeaving: false });
  }

  use(name: string, use: RelayUse): void {
    const member = this.members.get(name);
    if (member) member.use = use;
  }

  /** Takes a relay out; it is closed once `calls` of it are none, see `left`. */
  async remove(name: string, calls: number): Promise<void> {
    const member = this.members.get(name);
    if (!member) return;
    member.isLeaving = true;
    if (calls === 0) await this.drop(member);
  }

  /** Whether it only waits for its last call. */
  isLeaving(node: RelayNode): boolean {
    const member = this.members.get(node.name);
    return member?.node === node && member.isLeaving;
  }

  /** The last call of a relay that was taken out has left it. Never rejects. */
  left(node: RelayNode): void {
    const member = this.members.get(node.name);
    if (member?.node === node)
      this.drop(member).catch((error: unknown) => this.log.debug({ err: error }, 'media relay not closed'));
  }

  /**
   * Relays to try, best first: the call's own, then those that answer by weight, then reserves, last those that failed lately.
   * Smooth weighted round robin: of weights 2 and 1 every third call goes to the second.
   */
  choose(current: RelayNode | undefined): RelayNode[] {
    if (current && this.members.size === 1) return [current];
    const usable = [...this.members.values()].filter(
      ({ node, use, isLeaving }) => use.active && !isLeaving && node !== current,
    );
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
    await Promise.all([...this.members.values()].map(({ node }) => node.close()));
  }

  private async drop(member: Member): Promise<void> {
    if (this.members.get(member.node.name) === member) this.members.delete(member.node.name);
    await member.node.close();
  }
}
