import type { SipMessage } from '../../src/sip/message.js';

const WAIT_MS = 5000;

interface Waiter {
  readonly wants: (message: SipMessage) => boolean;
  readonly take: (message: SipMessage) => void;
  readonly fail: (why: string) => void;
}

/** The messages that a peer got and its test did not take yet, and what the test waits for. Repeats are left out. */
export class MessageInbox {
  private readonly unread: SipMessage[] = [];
  private readonly waiters: Waiter[] = [];
  private readonly seen = new Set<string>();
  private isClosed = false;

  /** `owner` is who waits, for the message of a wait in vain. */
  constructor(private readonly owner: string) {}

  put(message: SipMessage): void {
    const key = `${summary(message)} ${message.topVia?.branch} ${message.toTag} ${message.callId}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    const at = this.waiters.findIndex((waiter) => waiter.wants(message));
    if (at >= 0) this.waiters.splice(at, 1)[0]!.take(message);
    else this.unread.push(message);
  }

  has(wants: (message: SipMessage) => boolean): boolean {
    return this.unread.some(wants);
  }

  /** The first message that is wanted; rejects, naming `what`, after `timeoutMs` milliseconds or on close. */
  take(
    what: string,
    wants: (message: SipMessage) => boolean,
    timeoutMs: number = WAIT_MS,
  ): Promise<SipMessage> {
    const at = this.unread.findIndex(wants);
    if (at >= 0) return Promise.resolve(this.unread.splice(at, 1)[0]!);
    // Made here: its stack names the test that waits.
    const { stack } = new Error(`${this.owner} waited in vain for ${what}`);
    if (this.isClosed) return Promise.reject(new Error(`${stack}\n  closed`));
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        wants,
        take: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
        fail: (why) => {
          clearTimeout(timer);
          const have = this.unread.map(summary).join(', ') || 'nothing';
          reject(new Error(`${stack}\n  ${why}; unread: ${have}`));
        },
      };
      const timer = setTimeout(() => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
        waiter.fail(`after ${timeoutMs} ms`);
      }, timeoutMs);
      this.waiters.push(waiter);
    });
  }

  /** Every wait that is left fails: none keeps the process alive. */
  close(): void {
    this.isClosed = true;
    for (const waiter of this.waiters.splice(0)) waiter.fail('closed');
  }
}

function summary(message: SipMessage): string {
  return message.type === 'request'
    ? `${message.method} ${message.cseq?.seq}`
    : `${message.statusCode} (${message.cseq?.method} ${message.cseq?.seq})`;
}
