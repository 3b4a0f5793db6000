import { createHash } from 'node:crypto';
import { parseUri } from '../sip/uri.js';
import { urisEqual } from '../sip/uri-equals.js';
import { isFlow } from './instance.js';
import type { RegisterRequest, RequestedContact } from './register-request.js';
import type { Binding } from './types.js';

/** A binding with the key that the Store knows it by. */
export interface KeyedBinding {
  readonly key: string;
  readonly binding: Binding;
  readonly instance: string | undefined;
}

/** How one binding changed; a refresh that changed nothing but its time is no change. */
export interface BindingChange {
  readonly kind: 'registered' | 'changed' | 'removed' | 'expired';
  readonly binding: Binding;
}

/** What a REGISTER does to the bindings of its address, as one step. */
export interface BindingUpdate {
  readonly put: readonly KeyedBinding[];
  readonly removeKeys: readonly string[];
  /** All bindings after it. */
  readonly result: readonly KeyedBinding[];
  readonly changes: readonly BindingChange[];
}

/** The bindings of one address-of-record while a REGISTER is applied to them. */
export class WorkingSet {
  private readonly held: Map<string, KeyedBinding>;
  private readonly put = new Set<string>();
  private readonly removed = new Set<string>();
  private readonly changes: BindingChange[] = [];

  constructor(live: readonly KeyedBinding[]) {
    this.held = new Map(live.map((item) => [item.key, item]));
  }

  get size(): number {
    return this.held.size;
  }

  /**
   * The binding that a requested contact stands for: of the same instance (RFC 5626 §4.1), with an equal URI
   * (RFC 3261 §19.1.4, §10.3 step 7), or of a phone whose NAT gave it a new port.
   */
  find(contact: RequestedContact, request: RegisterRequest): KeyedBinding | undefined {
    const items = [...this.held.values()];
    return (
      items.find((item) => contact.instance !== undefined && item.instance === contact.instance) ??
      items.find((item) => !areFlows(item, contact) && sameUri(item.binding, contact)) ??
      items.find((item) => !areFlows(item, contact) && hasMoved(item.binding, contact, request))
    );
  }

  /** True when this REGISTER wrote the binding: it names one contact twice. */
  wasPut(item: KeyedBinding): boolean {
    return this.put.has(item.key);
  }

  /** Writes a binding in place of `former`, if any. */
  set(item: KeyedBinding, former: KeyedBinding | undefined): void {
    if (former && former.key !== item.key) this.drop(former);
    this.held.set(item.key, item);
    this.put.add(item.key);
    this.removed.delete(item.key);
    if (!former) this.changes.push({ kind: 'registered', binding: item.binding });
    else if (differs(former.binding, item.binding))
      this.changes.push({ kind: 'changed', binding: item.binding });
  }

  remove(item: KeyedBinding): void {
    this.drop(item);
    this.changes.push({ kind: 'removed', binding: item.binding });
  }

  /** The binding registered first among those that this REGISTER left alone. */
  oldest(): KeyedBinding | undefined {
    return [...this.held.values()]
      .filter((item) => !this.put.has(item.key))
      .sort((a, b) => a.binding.registeredAt - b.binding.registeredAt)[0];
  }

  update(): BindingUpdate {
    return {
      put: [...this.put].map((key) => this.held.get(key)!),
      removeKeys: [...this.removed],
      result: [...this.held.values()],
      changes: this.changes,
    };
  }

  private drop(item: KeyedBinding): void {
    this.held.delete(item.key);
    this.put.delete(item.key);
    this.removed.add(item.key);
  }
}

/** The Store's key for a contact: of constant length whatever the peer sent. */
export function contactKey(contact: RequestedContact): string {
  const kind = contact.instance === undefined ? 'u' : 'i';
  const text = contact.instance ?? contact.contact;
  return `${kind}:${createHash('sha256').update(text).digest('base64url').slice(0, 24)}`;
}

/** RFC 5626 §6: flows are told apart by instance and reg-id, whatever their URIs. */
function areFlows(item: KeyedBinding, contact: RequestedContact): boolean {
  return [item.instance, contact.instance].every((instance) => instance !== undefined && isFlow(instance));
}

function sameUri(binding: Binding, contact: RequestedContact): boolean {
  if (binding.contact === contact.contact) return true;
  const uri = parseUri(binding.contact);
  return uri !== undefined && urisEqual(uri, contact.uri);
}

/**
 * A phone behind NAT that writes its public address into Contact and got a new port: same Call-ID and user, and both
 * times Contact is the very source that the request came from.
 */
function hasMoved(binding: Binding, contact: RequestedContact, request: RegisterRequest): boolean {
  if (binding.callId !== request.callId || binding.address !== request.peer.address) return false;
  const uri = parseUri(binding.contact);
  return (
    uri !== undefined &&
    uri.user === contact.uri.user &&
    uri.host === binding.address &&
    uri.port === binding.port &&
    contact.uri.host === request.peer.address &&
    contact.uri.port === request.peer.port
  );
}

function differs(a: Binding, b: Binding): boolean {
  return (
    a.contact !== b.contact ||
    a.protocol !== b.protocol ||
    a.address !== b.address ||
    a.port !== b.port ||
    a.q !== b.q
  );
}
