import type { User, UserService } from '../accounts/types.js';
import type { NumberingService } from '../numbering/types.js';
import { type DialledNumber, normaliseNumber } from '../routing/number.js';
import { ruleAt } from '../routing/time-rules.js';
import { MessageRefusedError } from './errors.js';

/** Short numbers that lead to short numbers: as many as this in one search. */
const MAX_ALIASES = 5;

export interface RecipientDirectory {
  readonly users: Pick<UserService, 'authData'>;
  readonly numbering?: Pick<NumberingService, 'entry'> | undefined;
  /** Wall milliseconds. */
  now(): number;
}

/**
 * The subscriber that a number stands for, short numbers and time rules followed; forwardings are for calls. Throws
 * MessageRefusedError for a number of nobody, a hunt group included, and for a subscriber that is not active.
 */
export async function findRecipient(directory: RecipientDirectory, dialled: DialledNumber): Promise<User> {
  let number: DialledNumber | undefined = dialled;
  for (let aliases = 0; number && aliases <= MAX_ALIASES; aliases++) {
    const found: User | string | undefined = await lookUp(directory, number);
    if (typeof found === 'object') {
      if (found.status !== 'ACTIVE') throw new MessageRefusedError('callee-suspended', 'Account Not Active');
      return found;
    }
    number = found === undefined ? undefined : normaliseNumber(found);
  }
  throw new MessageRefusedError('callee-unknown', 'Not Found');
}

async function lookUp(
  directory: RecipientDirectory,
  number: DialledNumber,
): Promise<User | string | undefined> {
  for (const candidate of number.candidates) {
    const entry = await directory.numbering?.entry(candidate);
    const to = entry && (ruleAt(entry, directory.now())?.to ?? entry.to);
    if (to !== undefined) return to;
    const user = await directory.users.authData(candidate);
    if (user) return user;
  }
  return undefined;
}
