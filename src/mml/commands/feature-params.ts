import {
  FEATURE_NAMES,
  FEATURES,
  type FeatureChanges,
  type FeatureName,
  isDestination,
  OUTSIDE_RIGHTS,
  RING_MODES,
  type UserFeatures,
} from '../../accounts/user-features.js';
import {
  type ParamSpec,
  type ParamType,
  type ReportSpec,
  type Row,
  ValueProblem,
} from '../registry/command.js';
import { boolean, number, oneOf } from '../registry/param-types.js';
import { text } from '../text.js';

/** A number that a call may go on to; empty for none. */
export const destination: ParamType<string> = {
  name: text('number', '号码'),
  allowed: text(
    'a number or user name of 1..64 characters, "" for none',
    ' 1..64 个字符的号码或用户名，"" 表示取消',
  ),
  parse({ text: value }) {
    if (value !== '' && !isDestination(value)) throw new ValueProblem('invalid');
    return value;
  },
};

/** Whole seconds or a count; 0 takes it away. */
const count = (name: CountName) => number(0, FEATURES[name].max);

type CountName = {
  [K in FeatureName]: (typeof FEATURES)[K] extends { readonly kind: 'count' } ? K : never;
}[FeatureName];

/** Beginnings of numbers; empty for none. */
const prefixes: ParamType<string> = {
  name: text('prefixes', '前缀'),
  allowed: text('beginnings of numbers such as +49&0800, "" for all', '号码前缀，例如 +49&0800，"" 表示全部'),
  parse: ({ parts }) => parts.join('&'),
};

/** The features of a user as parameters of ADD and MOD USER. */
export const FEATURE_PARAMS = {
  RING: { type: oneOf(RING_MODES), purpose: text('How the phones ring', '振铃方式') },
  RINGSEC: {
    type: count('ringSec'),
    purpose: text('ORDER and Q: seconds for one phone; 0: the default', '逐个振铃时每部话机的秒数，0 为默认'),
    example: '15',
  },
  FWDALL: { type: destination, purpose: text('Forward every call to', '无条件前转号码'), example: '1003' },
  FWDBUSY: { type: destination, purpose: text('Forward when busy to', '遇忙前转号码'), example: '1003' },
  FWDNOANS: {
    type: destination,
    purpose: text('Forward without answer to', '无应答前转号码'),
    example: '1003',
  },
  FWDUNREACH: {
    type: destination,
    purpose: text('Forward when no phone can be reached to', '不可及前转号码'),
    example: '1003',
  },
  NOANSSEC: {
    type: count('noAnswerSec'),
    purpose: text('Seconds until not answered; 0: NO_ANSWER_SEC', '无应答秒数，0 为 NO_ANSWER_SEC'),
    example: '20',
  },
  DND: { type: boolean, purpose: text('Do not disturb', '免打扰') },
  MAXCALLS: {
    type: count('maxCalls'),
    purpose: text('Calls at once, then busy; 0: any number', '同时通话数上限，0 为不限'),
    example: '2',
  },
  MAXDUR: {
    type: count('maxDurationSec'),
    purpose: text('Longest call, seconds; 0: no limit', '最长通话秒数，0 为不限'),
    example: '3600',
  },
  SILENCESEC: {
    type: count('silenceSec'),
    purpose: text(
      'Calls end after so many seconds without media; 0: MEDIA_SILENCE_SEC',
      '无媒体多少秒后结束通话，0 为 MEDIA_SILENCE_SEC',
    ),
    example: '60',
  },
  SESSIONSEC: {
    type: count('sessionSec'),
    purpose: text('Session timer, seconds; 0: SESSION_TIMER_SEC', '会话定时器秒数，0 为 SESSION_TIMER_SEC'),
    example: '600',
  },
  OUTSIDE: {
    type: oneOf(OUTSIDE_RIGHTS),
    purpose: text('Dearest class of outside numbers that may be called', '允许呼叫的最高外线等级'),
    example: 'INTERNATIONAL',
  },
  OUTPREFIX: {
    type: prefixes,
    purpose: text('Beginnings of the only outside numbers that may be called', '仅允许呼叫的外线号码前缀'),
    example: '"+49&+43"',
  },
  OUTCALLS: {
    type: count('outsideCalls'),
    purpose: text('Outside calls at once; 0: OUTSIDE_CALLS', '同时外线呼叫数，0 为 OUTSIDE_CALLS'),
    example: '2',
  },
  OUTHOUR: {
    type: count('outsidePerHour'),
    purpose: text('Outside calls an hour; 0: OUTSIDE_HOUR', '每小时外线呼叫数，0 为 OUTSIDE_HOUR'),
    example: '30',
  },
  OUTDAY: {
    type: count('outsidePerDay'),
    purpose: text('Outside calls a day; 0: OUTSIDE_DAY', '每天外线呼叫数，0 为 OUTSIDE_DAY'),
    example: '100',
  },
  DEFLECT: {
    type: boolean,
    purpose: text('A 3xx of the phone may send calls to another number', '允许话机用 3xx 转移来话'),
  },
} as const satisfies Readonly<Record<string, ParamSpec>>;

const FEATURE_OF: Readonly<Record<keyof typeof FEATURE_PARAMS, FeatureName>> = {
  RING: 'ring',
  RINGSEC: 'ringSec',
  FWDALL: 'forwardAlways',
  FWDBUSY: 'forwardBusy',
  FWDNOANS: 'forwardNoAnswer',
  FWDUNREACH: 'forwardUnreachable',
  NOANSSEC: 'noAnswerSec',
  DND: 'doNotDisturb',
  MAXCALLS: 'maxCalls',
  MAXDUR: 'maxDurationSec',
  SILENCESEC: 'silenceSec',
  SESSIONSEC: 'sessionSec',
  DEFLECT: 'mayDeflect',
  OUTSIDE: 'outside',
  OUTPREFIX: 'outsidePrefixes',
  OUTCALLS: 'outsideCalls',
  OUTHOUR: 'outsidePerHour',
  OUTDAY: 'outsidePerDay',
};

/** The features among a command's values; undefined when none was given. */
export function toFeatures(values: Readonly<Record<string, unknown>>): FeatureChanges | undefined {
  const given = Object.entries(FEATURE_OF).filter(([param]) => values[param] !== undefined);
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map(([param, name]) => [name, values[param]])) as FeatureChanges;
}

/** The features of one user. */
export const featureReport: ReportSpec = {
  name: 'userFeatures',
  title: text('Features', '业务功能'),
  columns: [
    { key: 'ring', title: text('Ring', '振铃方式') },
    { key: 'ringSec', title: text('Each rings', '每部振铃'), format: 'seconds' },
    { key: 'forwardAlways', title: text('Forward all to', '无条件前转') },
    { key: 'forwardBusy', title: text('Busy to', '遇忙前转') },
    { key: 'forwardNoAnswer', title: text('No answer to', '无应答前转') },
    { key: 'forwardUnreachable', title: text('Unreachable to', '不可及前转') },
    { key: 'noAnswerSec', title: text('No answer after', '无应答时长'), format: 'seconds' },
    { key: 'doNotDisturb', title: text('Do not disturb', '免打扰'), format: 'yesno' },
    { key: 'maxCalls', title: text('Calls at once', '同时通话数') },
    { key: 'maxDurationSec', title: text('Longest call', '最长通话'), format: 'seconds' },
    { key: 'silenceSec', title: text('Silence ends after', '静音结束时长'), format: 'seconds' },
    { key: 'sessionSec', title: text('Session timer', '会话定时器'), format: 'seconds' },
    { key: 'mayDeflect', title: text('May deflect', '允许转移'), format: 'yesno' },
    { key: 'outside', title: text('Outside', '外线等级') },
    { key: 'outsidePrefixes', title: text('Outside prefixes', '外线前缀') },
    { key: 'outsideCalls', title: text('Outside calls', '外线同时数') },
    { key: 'outsidePerHour', title: text('Outside an hour', '每小时外线') },
    { key: 'outsidePerDay', title: text('Outside a day', '每天外线') },
  ],
};

/** Defaults stand for what is not set, so that nothing is left to guess. */
export function featureRow(features: UserFeatures = {}): Row {
  const row = Object.fromEntries(FEATURE_NAMES.map((name) => [name, features[name]]));
  return {
    ...row,
    ring: features.ring ?? 'ALL',
    doNotDisturb: features.doNotDisturb ?? false,
    mayDeflect: features.mayDeflect ?? false,
    outside: features.outside ?? 'NATIONAL',
  };
}
