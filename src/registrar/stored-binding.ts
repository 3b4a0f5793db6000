import type { Protocol } from '../signalling/types.js';
import type { StoredBinding } from '../store/types.js';
import type { Binding } from './types.js';
import type { KeyedBinding } from './working-set.js';

/** A binding as the Store keeps it. Short names: there is one for each phone. */
export function toStored({ key, binding, instance }: KeyedBinding): StoredBinding {
  const { contact, q, callId, cseq, registeredAt, protocol, address, port, userAgent, path } = binding;
  return {
    contactKey: key,
    expiresAt: binding.expiresAt,
    value: { contact, q, callId, cseq, registeredAt, protocol, address, port, userAgent, path, instance },
  };
}

/** Reads a binding of `aor` back; undefined for one that another version wrote and we cannot read. */
export function fromStored(aor: string, stored: StoredBinding): KeyedBinding | undefined {
  const value = stored.value;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const fields = value as { readonly [key: string]: unknown };
  const { contact, address, port, protocol } = fields;
  if (typeof contact !== 'string' || typeof address !== 'string' || typeof port !== 'number')
    return undefined;
  const binding: Binding = {
    aor,
    contact,
    q: numberOr(fields['q'], 1),
    callId: textOf(fields['callId']),
    cseq: numberOr(fields['cseq'], 0),
    expiresAt: stored.expiresAt,
    registeredAt: numberOr(fields['registeredAt'], 0),
    protocol: (typeof protocol === 'string' ? protocol : 'udp') as Protocol,
    address,
    port,
    userAgent: textOf(fields['userAgent']),
    ...pathOf(fields['path']),
  };
  return { key: stored.contactKey, binding, instance: textOf(fields['instance']) || undefined };
}

function pathOf(value: unknown): Pick<Binding, 'path'> {
  const isPath = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
  return isPath ? { path: value as string[] } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
