import { DIAL_RANGES } from '../../dialler/dial-settings.js';
import type { ParamSpec, Values } from '../registry/command.js';
import { number, username } from '../registry/param-types.js';
import { text } from '../text.js';
import { SOUND } from './announcement-commands.js';

/** A number within what the dialler takes. */
export const range = (name: keyof typeof DIAL_RANGES) => number(DIAL_RANGES[name][0], DIAL_RANGES[name][1]);

const CALLER = {
  type: username,
  purpose: text(
    'Subscriber that calls; its number is shown, its rights count',
    '主叫用户；显示其号码并按其权限呼叫',
  ),
  example: '1000',
} as const satisfies ParamSpec;

/** What a job may say for itself; the rest is as SET DIALSVC has it. */
export const ORDER = {
  SOUND: { ...SOUND, aliases: ['FILE', 'WAV'] },
  CALLER,
  REPEAT: { type: range('repeat'), purpose: text('How often it is played', '播放遍数') },
  NOANSSEC: {
    type: range('noAnswerSec'),
    purpose: text('From the start of a call until it counts as not answered, seconds', '无应答时间（秒）'),
  },
  RETRIES: {
    type: range('retries'),
    purpose: text('Further tries after busy, no answer or unreachable', '遇忙、无应答、不可达时的重试次数'),
  },
  RETRYSEC: { type: range('retrySec'), purpose: text('Between two tries, seconds', '重试间隔（秒）') },
} as const;

/** The values of `ORDER` as the dialler names them. */
export const orderFields = (values: Values<typeof ORDER>) => ({
  sound: values.SOUND,
  caller: values.CALLER,
  repeat: values.REPEAT,
  noAnswerSec: values.NOANSSEC,
  retries: values.RETRIES,
  retrySec: values.RETRYSEC,
});
