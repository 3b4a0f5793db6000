import type { OpenRecord, TimelineEvent } from '../cdr/types.js';

/** Writes a call's timeline: facts for the record, and every SIP message that call control sees for the ladder. */
export class Trail {
  /** `onFact` is called after each event that is no message. */
  constructor(
    readonly record: OpenRecord,
    private readonly onFact: () => void = () => undefined,
    private readonly hasMessages = true,
  ) {}

  add(event: TimelineEvent): void {
    this.record.add(event);
    this.onFact();
  }

  /** A request that we sent or received on a leg. */
  request(leg: string, sent: boolean, method: string, body?: string): void {
    this.message(leg, sent, body ? `${method} ${bodyMark(body)}` : method);
  }

  /** A response that we sent or received on a leg, with the method it belongs to. */
  response(leg: string, sent: boolean, status: number, reason: string, method: string, body?: string): void {
    const mark = body ? ` ${bodyMark(body)}` : '';
    this.message(leg, sent, `${status} ${reason} (${method})${mark}`);
  }

  /** The same for a leg that has nothing on the wire: the ladder shows what was sent. */
  withoutMessages(): Trail {
    return new Trail(this.record, this.onFact, false);
  }

  private message(leg: string, sent: boolean, summary: string): void {
    if (this.hasMessages) this.record.add({ kind: 'message', leg, sent, summary });
  }
}

function bodyMark(body: string): string {
  return body.startsWith('v=0') ? '[SDP]' : '[body]';
}
