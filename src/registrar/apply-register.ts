import { RegisterRefusedError } from './errors.js';
import type { RegisterRequest, RequestedContact } from './register-request.js';
import type { Binding } from './types.js';
import { type BindingUpdate, contactKey, type KeyedBinding, WorkingSet } from './working-set.js';

/** Bounds of a binding's life, seconds (RFC 3261 §10.3 step 7). */
export interface ExpiryBounds {
  readonly minSec: number;
  readonly maxSec: number;
  readonly defaultSec: number;
}

export interface BindingPolicy {
  readonly expiry: ExpiryBounds;
  /** Bindings of one address-of-record. */
  readonly maxContacts: number;
  /** What a new one does beyond that: it is refused with 403, or takes the place of the one registered first. */
  readonly overflow: 'refuse' | 'replace-oldest';
}

/** 60..3600 s, 3600 when the phone does not say; ten phones, the eleventh takes the place of the first. */
export const DEFAULT_BINDING_POLICY: BindingPolicy = {
  expiry: { minSec: 60, maxSec: 3600, defaultSec: 3600 },
  maxContacts: 10,
  overflow: 'replace-oldest',
};

/**
 * Works out what a REGISTER does to the live bindings of `aor` (RFC 3261 §10.3 steps 6 and 7). All or nothing: throws
 * RegisterRefusedError with 400, 403 or 423, and then nothing may be written.
 */
export function applyRegister(
  aor: string,
  request: RegisterRequest,
  live: readonly KeyedBinding[],
  policy: BindingPolicy,
  nowMs: number,
): BindingUpdate {
  const work = new WorkingSet(live);
  if (request.contacts === '*') {
    for (const item of live) {
      checkOrder(item, request);
      work.remove(item);
    }
    return work.update();
  }
  // RFC 3261 §10.2.3: without a Contact it is a query, and nothing changes.
  for (const contact of request.contacts) {
    const former = work.find(contact, request);
    if (former && !work.wasPut(former)) checkOrder(former, request);
    const sec = expirySec(contact, request, policy.expiry);
    if (sec > 0) work.set(makeItem(aor, contact, request, former, sec, nowMs), former);
    // RFC 3261 §10.2.2: an expiry of 0 removes that contact alone.
    else if (former) work.remove(former);
  }
  enforceMaximum(work, policy, live.length);
  return work.update();
}

/** RFC 3261 §10.3 step 7: a request that is older than the one a binding came from must not undo it. */
function checkOrder(item: KeyedBinding, request: RegisterRequest): void {
  if (item.binding.callId === request.callId && request.cseq <= item.binding.cseq)
    throw new RegisterRefusedError(400, 'CSeq Out of Order');
}

/** The contact's own parameter, then the Expires header, then the default (RFC 3261 §10.2.1.1, §10.3 step 6). */
function expirySec(contact: RequestedContact, request: RegisterRequest, bounds: ExpiryBounds): number {
  const asked = contact.expiresSec ?? request.expiresSec ?? bounds.defaultSec;
  // RFC 3261 §21.4.17, §10.3 step 7
  if (asked > 0 && asked < bounds.minSec)
    throw new RegisterRefusedError(423, 'Interval Too Brief', { 'Min-Expires': String(bounds.minSec) });
  return Math.min(asked, bounds.maxSec);
}

function makeItem(
  aor: string,
  contact: RequestedContact,
  request: RegisterRequest,
  former: KeyedBinding | undefined,
  sec: number,
  nowMs: number,
): KeyedBinding {
  const binding: Binding = {
    aor,
    contact: contact.contact,
    q: contact.q,
    callId: request.callId,
    cseq: request.cseq,
    expiresAt: nowMs + sec * 1000,
    registeredAt: former?.binding.registeredAt ?? nowMs,
    protocol: request.peer.protocol,
    address: request.peer.address,
    port: request.peer.port,
    userAgent: request.userAgent,
    ...(request.path.length > 0 && { path: request.path }),
  };
  return { key: contactKey(contact), binding, instance: contact.instance };
}

function enforceMaximum(work: WorkingSet, policy: BindingPolicy, sizeBefore: number): void {
  // A lowered maximum does not take phones away that refresh what they have.
  while (work.size > Math.max(policy.maxContacts, policy.overflow === 'refuse' ? sizeBefore : 0)) {
    const oldest = policy.overflow === 'replace-oldest' ? work.oldest() : undefined;
    if (!oldest) throw new RegisterRefusedError(403, 'Too Many Contacts');
    work.remove(oldest);
  }
}
