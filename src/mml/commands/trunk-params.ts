import { parseSource } from '../../trunks/sources.js';
import { TRUNK_RANGES } from '../../trunks/trunk-rules.js';
import { IDENTITY_HEADERS, TRUNK_STATUSES, TRUNK_TRANSPORTS, type TrunkInput } from '../../trunks/types.js';
import { type ParamSpec, type ParamType, ValueProblem } from '../registry/command.js';
import { boolean, number, oneOf, string } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

/** Name of a trunk or route. */
export const shortName: ParamType<string> = {
  name: text('name', '名称'),
  allowed: text('a name of 1..32 letters, digits or . _ -', ' 1..32 个字母、数字或 . _ -'),
  parse({ text: value }) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(value)) throw new ValueProblem('invalid');
    return value;
  },
};

/** Addresses that calls come from; `""` for none. */
const sources: ParamType<readonly string[]> = {
  name: text('addresses', '地址'),
  allowed: text(
    'addresses or networks such as 192.0.2.7&192.0.2.0/24&192.0.2.9:5080, "" for none',
    '地址或网段，例如 192.0.2.7&192.0.2.0/24&192.0.2.9:5080，"" 表示无',
  ),
  parse({ parts }) {
    const given = parts.filter((part) => part !== '');
    if (given.length > 50) throw new ValueProblem('range');
    if (given.some((part) => !parseSource(part))) throw new ValueProblem('invalid');
    return given;
  },
};

const codecs: ParamType<readonly string[]> = {
  name: text('codecs', '编解码'),
  allowed: text(
    'codec names such as PCMA&PCMU&G729, "" for none',
    '编解码名称，例如 PCMA&PCMU&G729，"" 表示无',
  ),
  parse({ parts }) {
    const given = parts.filter((part) => part !== '');
    if (given.length > 20) throw new ValueProblem('range');
    if (given.some((part) => !/^[A-Za-z0-9.-]{1,32}$/.test(part))) throw new ValueProblem('invalid');
    return given;
  },
};

const range = (field: keyof typeof TRUNK_RANGES) => number(TRUNK_RANGES[field][0], TRUNK_RANGES[field][1]);
const secret = string({ min: 0, max: 128 });

export const TRUNK = {
  type: shortName,
  purpose: text('Name of the trunk', '中继名称'),
  example: 'carrier1',
  suggest: async (services: Services) =>
    services.trunks
      .list()
      .slice(0, 20)
      .map(({ name }) => name),
} as const satisfies ParamSpec;

/** What a trunk is, as parameters of ADD and MOD TRUNK. */
export const TRUNK_PARAMS = {
  STATUS: { type: oneOf(TRUNK_STATUSES), purpose: text('Whether it takes part', '状态') },
  ADDRESS: {
    type: string({ min: 0, max: 255 }),
    purpose: text(
      'Where calls are sent, host or host:port; "" for none',
      '呼出地址 host 或 host:port，"" 表示不呼出',
    ),
    example: 'sip.carrier.example',
  },
  TRANSPORT: { type: oneOf(TRUNK_TRANSPORTS), purpose: text('How calls are sent', '传输协议') },
  SOURCES: {
    type: sources,
    purpose: text(
      'Where its calls come from; when not given with ADD: ADDRESS, if that is an IP address',
      '呼入来源地址；ADD 时不填则取 ADDRESS（须为 IP 地址）',
    ),
    example: '192.0.2.7&192.0.2.0/24',
  },
  USER: {
    type: string({ min: 0, max: 64 }),
    purpose: text('Our name for its 401, 407 and REGISTER', '我方鉴权和注册用户名'),
    example: 'acme',
  },
  PASSWORD: {
    type: secret,
    purpose: text('Our password', '我方密码'),
    secret: true,
    example: '"s3cret words"',
  },
  REGISTER: { type: boolean, purpose: text('Register with it', '向其注册') },
  REGSEC: { type: range('registerSec'), purpose: text('Seconds asked for in REGISTER', '注册有效期（秒）') },
  DOMAIN: {
    type: string({ min: 0, max: 255 }),
    purpose: text(
      'Host in From and in our address-of-record; "": this server',
      'From 和注册 AOR 的域，"" 表示本机',
    ),
    example: 'carrier.example',
  },
  INUSER: {
    type: string({ min: 0, max: 64 }),
    purpose: text('The name by which it answers our 407; "" for none', '对端应答 407 的用户名，"" 表示无'),
    example: 'branch',
  },
  INPASSWORD: {
    type: secret,
    purpose: text('Its password', '对端密码'),
    secret: true,
    example: '"other words"',
  },
  OPTIONSSEC: {
    type: range('optionsSec'),
    purpose: text('Seconds between two OPTIONS; 0: not watched', 'OPTIONS 探测间隔（秒），0 表示不探测'),
  },
  DOWNAFTER: {
    type: range('downAfter'),
    purpose: text('Failures running that make it down', '连续失败几次判为故障'),
  },
  UPAFTER: {
    type: range('upAfter'),
    purpose: text('Answers running that make it up again', '连续成功几次判为恢复'),
  },
  MAXCALLS: {
    type: range('maxCalls'),
    purpose: text('Calls at once, in and out; 0: any number', '并发呼叫上限，0 不限'),
  },
  MAXRATE: {
    type: range('maxRate'),
    purpose: text('Calls begun a second, in and out; 0: any number', '每秒呼叫上限，0 不限'),
  },
  MAXDUR: {
    type: range('maxDurationSec'),
    purpose: text('Longest call, seconds; 0: no limit', '最长通话秒数，0 不限'),
  },
  SILENCESEC: {
    type: range('silenceSec'),
    purpose: text(
      'Calls end after so many seconds without media; 0: MEDIA_SILENCE_SEC',
      '无媒体多少秒后结束，0 为 MEDIA_SILENCE_SEC',
    ),
  },
  SESSIONSEC: {
    type: range('sessionSec'),
    purpose: text('Session timer, seconds; 0: SESSION_TIMER_SEC', '会话定时器秒数，0 为 SESSION_TIMER_SEC'),
  },
  TRYSEC: {
    type: range('trySec'),
    purpose: text(
      'Seconds that it may say nothing before the next is tried',
      '无任何响应多少秒后换下一条中继',
    ),
  },
  IDENTITY: {
    type: oneOf(IDENTITY_HEADERS),
    purpose: text('Headers that tell it who calls, beside From', '除 From 外携带主叫身份的头域'),
  },
  ANONYMOUS: { type: boolean, purpose: text('Hide every caller from its callees', '对其隐藏所有主叫') },
  FROMUSER: {
    type: string({ min: 0, max: 64 }),
    purpose: text(
      'User in From in place of the caller; "" for the caller',
      'From 中的固定用户，"" 为主叫号码',
    ),
  },
  TRUSTID: {
    type: boolean,
    purpose: text(
      'Believe its P-Asserted-Identity and Remote-Party-ID',
      '信任其 P-Asserted-Identity 和 Remote-Party-ID',
    ),
  },
  CODECS: {
    type: codecs,
    purpose: text('Codecs put first, in this order', '优先的编解码及顺序'),
    example: 'PCMA&PCMU',
  },
  DROPCODECS: { type: codecs, purpose: text('Codecs taken out', '去除的编解码'), example: 'G729' },
  TRANSIT: {
    type: boolean,
    purpose: text('Its calls may go out again by a route', '允许其来话再经路由呼出'),
  },
  RETURN: {
    type: boolean,
    purpose: text('Calls that came from it may go back to it', '允许来话返回同一中继'),
  },
} as const satisfies Readonly<Record<string, ParamSpec>>;

const FIELD_OF: Readonly<Record<keyof typeof TRUNK_PARAMS, keyof TrunkInput>> = {
  STATUS: 'status',
  ADDRESS: 'address',
  TRANSPORT: 'transport',
  SOURCES: 'sources',
  USER: 'username',
  PASSWORD: 'password',
  REGISTER: 'register',
  REGSEC: 'registerSec',
  DOMAIN: 'domain',
  INUSER: 'inUsername',
  INPASSWORD: 'inPassword',
  OPTIONSSEC: 'optionsSec',
  DOWNAFTER: 'downAfter',
  UPAFTER: 'upAfter',
  MAXCALLS: 'maxCalls',
  MAXRATE: 'maxRate',
  MAXDUR: 'maxDurationSec',
  SILENCESEC: 'silenceSec',
  SESSIONSEC: 'sessionSec',
  TRYSEC: 'trySec',
  IDENTITY: 'identity',
  ANONYMOUS: 'anonymous',
  FROMUSER: 'fromUser',
  TRUSTID: 'trustIdentity',
  CODECS: 'codecs',
  DROPCODECS: 'dropCodecs',
  TRANSIT: 'transit',
  RETURN: 'mayReturn',
};

/** The fields of a trunk among a command's values. */
export function toTrunkInput(values: Readonly<Record<string, unknown>>): TrunkInput {
  const given = Object.entries(FIELD_OF).filter(([param]) => values[param] !== undefined);
  return Object.fromEntries(given.map(([param, field]) => [field, values[param]]));
}
