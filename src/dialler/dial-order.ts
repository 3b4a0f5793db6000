import type { User, UserService } from '../accounts/types.js';
import type { DialTask } from './dial-job.js';
import { checkRanges } from './dial-settings.js';
import { DialError } from './errors.js';
import type { DialOrder, DialSettings } from './types.js';

/** Numbers of one job. */
const MAX_NUMBERS = 1000;

/** The numbers of an order, each once. Throws DialError when they are too many, or a value is out of its range. */
export function checkOrder(order: DialOrder): string[] {
  checkRanges(order);
  const numbers = [...new Set(order.numbers)];
  if (numbers.length === 0 || numbers.length > MAX_NUMBERS)
    throw new DialError('FIELD_INVALID', `a job has 1 to ${MAX_NUMBERS} numbers`);
  return numbers;
}

/** Who calls and what is played: as the order says, else as the settings do. Throws DialError when neither does. */
export function partsOf(order: DialOrder, settings: DialSettings): Pick<DialTask, 'caller' | 'sound'> {
  const { caller = settings.caller, sound = settings.sound } = order;
  if (!caller) throw new DialError('FIELD_INVALID', 'no caller: give CALLER, or set one with SET DIALSVC');
  if (!sound) throw new DialError('FIELD_INVALID', 'no sound: give SOUND, or set one with SET DIALSVC');
  return { caller, sound };
}

/** What a job does, where the order leaves it open, as the settings are. */
export function howToCall(
  order: DialOrder,
  settings: DialSettings,
): Pick<DialTask, 'parallel' | 'noAnswerSec' | 'repeat' | 'retries' | 'retrySec'> {
  return {
    parallel: order.parallel ?? settings.parallel,
    noAnswerSec: order.noAnswerSec ?? settings.noAnswerSec,
    repeat: order.repeat ?? settings.repeat,
    retries: order.retries ?? settings.retries,
    retrySec: order.retrySec ?? settings.retrySec,
  };
}

/** The account that jobs call as. Rejects with DialError when it is not there or not ACTIVE. */
export async function callingUser(users: Pick<UserService, 'authData'>, caller: string): Promise<User> {
  const user = await users.authData(caller);
  if (!user)
    throw new DialError('FIELD_INVALID', `the caller ${caller} is no subscriber; create it with ADD USER`);
  if (user.status !== 'ACTIVE') throw new DialError('FIELD_INVALID', `the caller ${caller} is not ACTIVE`);
  return user;
}
