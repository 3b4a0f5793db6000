import type { User } from '../accounts/types.js';
import { escapeUser } from '../sip/escape.js';
import { EventRefusedError } from './errors.js';
import type { EventPackage } from './event-package.js';

/** RFC 3842 §3.11 wants no flood of them. */
const INTERVAL_MS = 1000;

/** The message-summary package (RFC 3842): how many instant messages wait for a user, told to that user alone. */
export function messageSummary(waiting: (username: string) => Promise<number>): EventPackage {
  return {
    name: 'message-summary',
    contentType: 'application/simple-message-summary',
    // RFC 3842 §3.4
    defaultSec: 3600,
    intervalMs: INTERVAL_MS,
    authorise: (subscriber, resource) => {
      if (subscriber.username !== resource.username) throw new EventRefusedError(403, 'Not Your Mailbox');
    },
    state: async (resource) => summaryText(resource, await waiting(resource.username)),
  };
}

/** The body of a NOTIFY (RFC 3842 §5.2): stored MESSAGEs are text messages, all of them new, none urgent. */
export function summaryText({ username, realm }: Pick<User, 'username' | 'realm'>, count: number): string {
  return [
    `Messages-Waiting: ${count > 0 ? 'yes' : 'no'}`,
    `Message-Account: sip:${escapeUser(username)}@${realm}`,
    `Text-Message: ${count}/0 (0/0)`,
    '',
  ].join('\r\n');
}
