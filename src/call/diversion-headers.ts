import { causeOfDiversion } from '../routing/diversions.js';
import type { Diversion } from '../routing/types.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import { escapeUser } from '../sip/escape.js';

/**
 * How a forwarded call tells the phone that it was: Diversion, the last forwarding first (RFC 5806), and History-Info
 * with the cause of RFC 4458 in each target (RFC 7044). Nothing for a call that was not forwarded.
 */
export function diversionHeaders(
  dialled: string,
  diversions: readonly Diversion[],
  host: string,
): OutgoingHeaders {
  if (diversions.length === 0) return {};
  const uri = (user: string, params = ''): string => `<sip:${escapeUser(user)}@${host}${params}>`;
  const history = [`${uri(dialled)};index=1`];
  let index = '1';
  for (const { to, reason } of diversions) {
    const former = index;
    index += '.1';
    history.push(`${uri(to, `;cause=${causeOfDiversion(reason)}`)};index=${index};mp=${former}`);
  }
  return {
    Diversion: diversions.map(({ by, reason }) => `${uri(by)};reason=${reason};counter=1`).reverse(),
    'History-Info': history,
  };
}
