import type { CallResult, OpenRecord, RecordService } from '../cdr/types.js';
import type { Letter } from './types.js';

/** How a message ended, for its record (docs/cdr.md). */
export interface MessageEnd {
  readonly result: CallResult;
  readonly status: number;
  readonly reason: string;
  readonly releaseReason: string;
}

/** What a record says of the request behind it. */
export type MessageFacts = Pick<
  Letter,
  'callId' | 'cseq' | 'senderUri' | 'sender' | 'dialled' | 'address' | 'port' | 'transport'
> & { readonly userAgent?: string | undefined };

/** Opens the record of a MESSAGE whose sender is known. */
export function openMessageRecord(records: Pick<RecordService, 'begin'>, facts: MessageFacts): OpenRecord {
  const { callId, cseq, senderUri, sender, dialled, address, port, transport, userAgent } = facts;
  const record = records.begin('MESSAGE');
  record.add({
    kind: 'received',
    method: 'MESSAGE',
    callId,
    cseq,
    callerUri: senderUri,
    callerNumber: sender,
    dialledNumber: dialled,
    address,
    port,
    transport,
    ...(userAgent !== undefined && { userAgent }),
  });
  record.add({ kind: 'authenticated', username: sender });
  return record;
}

/** Notes who the letter is for, and its body where the operator wants that. */
export function noteLetter(record: OpenRecord, letter: Letter, realm: string, withBody: boolean): void {
  const { recipient, body, receivedAt, expiresAt } = letter;
  record.add({
    kind: 'routed',
    calleeUri: `sip:${recipient}@${realm}`,
    calleeNumber: recipient,
    direction: 'INTERNAL',
  });
  const expires = Math.max(0, Math.round((expiresAt - receivedAt) / 1000));
  record.add({ kind: 'noted', facts: { expires, ...(withBody && { messageBody: body }) } });
}

export function endRecord(record: OpenRecord, end: MessageEnd, by: 'CALLEE' | 'SERVER'): void {
  record.add({ kind: 'ended', by, ...end });
  record.finish();
}
