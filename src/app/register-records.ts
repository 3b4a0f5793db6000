import type { RecordService } from '../cdr/types.js';
import type {
  RegisterFacts,
  RegistrationEvent,
  RegistrationObserver,
} from '../registrar/registration-events.js';
import type { Binding } from '../registrar/types.js';

/**
 * Writes a record of type REGISTER for each change of outcome: a phone that came or went, or was refused for good.
 * Refreshes that change nothing leave none.
 */
export function registerRecords(records: RecordService, realm: string): RegistrationObserver {
  return (event) => {
    const { request, username } = event;
    if (!request) return;
    const record = records.begin('REGISTER');
    record.add(received(username, realm, request));
    if (event.kind !== 'refused') {
      const isGone = event.kind === 'removed' || event.kind === 'expired';
      record.add({ kind: 'noted', facts: { expires: isGone ? 0 : secondsLeft(event.binding) } });
    }
    record.add({ kind: 'ended', by: 'SERVER', ...outcome(event) });
    record.finish();
  };
}

/** Release reasons of REGISTER records (docs/cdr.md). */
const REASONS = {
  registered: 'registered',
  changed: 'registration-changed',
  removed: 'unregistered',
  expired: 'registration-expired',
} as const;

/** What was granted, seconds: a binding that just came has all of it before it. */
function secondsLeft({ registeredAt, expiresAt }: Binding): number {
  return Math.max(0, Math.round((expiresAt - registeredAt) / 1000));
}

function received(username: string, realm: string, { callId, cseq, peer, userAgent }: RegisterFacts) {
  return {
    kind: 'received',
    method: 'REGISTER',
    callId,
    cseq,
    callerUri: `sip:${username}@${realm}`,
    callerNumber: username,
    dialledNumber: username,
    address: peer.address,
    port: peer.port,
    transport: peer.protocol,
    ...(userAgent && { userAgent }),
  } as const;
}

function outcome(event: RegistrationEvent) {
  if (event.kind === 'refused') {
    return {
      result: 'REJECTED',
      status: event.status,
      reason: event.reason,
      releaseReason: 'registration-refused',
    } as const;
  }
  return {
    result: 'ANSWERED',
    status: 200,
    reason: 'OK',
    releaseReason: REASONS[event.kind],
  } as const;
}
