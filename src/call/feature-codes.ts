import type { UserService } from '../accounts/types.js';
import type { FeatureChanges } from '../accounts/user-features.js';
import { AppError } from '../platform/errors.js';
import type { CodeAction, DialledCode } from '../routing/feature-codes.js';
import { CallRefusedError } from './errors.js';

type FeatureAction = Exclude<CodeAction, 'PICKUP' | 'PICKUP_GROUP'>;

/** What a code changes in the caller's account, and how the phone's display is told. */
function changeOf(action: FeatureAction, to: string): { features: FeatureChanges; told: string } {
  switch (action) {
    case 'FWDALL_ON':
      return { features: { forwardAlways: to }, told: `All calls go to ${to}` };
    case 'FWDALL_OFF':
      return { features: { forwardAlways: null }, told: 'Calls are forwarded no more' };
    case 'FWDBUSY_ON':
      return { features: { forwardBusy: to }, told: `When busy calls go to ${to}` };
    case 'FWDBUSY_OFF':
      return { features: { forwardBusy: null }, told: 'Forwarding when busy is off' };
    case 'FWDNOANS_ON':
      return { features: { forwardNoAnswer: to }, told: `Without answer calls go to ${to}` };
    case 'FWDNOANS_OFF':
      return { features: { forwardNoAnswer: null }, told: 'Forwarding without answer is off' };
    case 'FWDUNREACH_ON':
      return { features: { forwardUnreachable: to }, told: `When unreachable calls go to ${to}` };
    case 'FWDUNREACH_OFF':
      return { features: { forwardUnreachable: null }, told: 'Forwarding when unreachable is off' };
    case 'FWD_OFF':
      return {
        features: { forwardAlways: null, forwardBusy: null, forwardNoAnswer: null, forwardUnreachable: null },
        told: 'All forwarding is off',
      };
    case 'DND_ON':
      return { features: { doNotDisturb: true }, told: 'Do not disturb is on' };
    case 'DND_OFF':
      return { features: { doNotDisturb: false }, told: 'Do not disturb is off' };
  }
}

/**
 * Does what a feature code asks of the caller's own account. Always throws CallRefusedError: there is nobody to talk to,
 * so the phone is told by the reason phrase of 603 (done, RFC 3261 §21.6.2: no use in trying elsewhere) or 403 (not done). `isKnown` says whether calls can go to a number.
 */
export async function runFeatureCode(
  users: Pick<UserService, 'modify'>,
  username: string,
  { action, argument = '' }: DialledCode & { readonly action: FeatureAction },
  isKnown: (number: string) => Promise<boolean>,
): Promise<never> {
  const refuse = (why: string) => new CallRefusedError('feature-code-refused', why, {}, why);
  if (argument !== '' && argument !== username && !(await isKnown(argument)))
    throw refuse(`No such number ${argument}`);
  const { features, told } = changeOf(action, argument);
  try {
    await users.modify(username, { features });
  } catch (error) {
    if (error instanceof AppError && error.code === 'FIELD_INVALID')
      throw refuse(`Not done: ${error.message}`);
    throw error;
  }
  throw new CallRefusedError('feature-code-done', told, {}, told);
}
