import { AppError } from '../../platform/errors.js';
import { MmlError } from '../errors.js';
import { type Bilingual, text } from '../text.js';

const SEE_USERS = text('See LST USER', '请查看 LST USER');
const SEE_OPERATORS = text('See LST OPERATOR', '请查看 LST OPERATOR');
const SEE_TASKS = text('See LST TASK', '请查看 LST TASK');
const SEE_CMDGROUPS = text('See LST CMDGROUP', '请查看 LST CMDGROUP');
const SEE_NUMBERS = text('See LST GROUP and LST NUMBER', '请查看 LST GROUP 和 LST NUMBER');
const SEE_TRUNKS = text('See LST TRUNK', '请查看 LST TRUNK');
const SEE_ROUTES = text('See LST ROUTE', '请查看 LST ROUTE');
const SEE_RELAYS = text('See LST RELAY', '请查看 LST RELAY');
const SEE_SOURCES = text(
  'See LST BLACKLIST, LST WHITELIST; with IP= also networks that an address is in',
  '请查看 LST BLACKLIST、LST WHITELIST；带 IP= 可查包含该地址的网段',
);
const SEE_JOBS = text('See DSP DIALJOB', '请查看 DSP DIALJOB');
const SEE_ROOMS = text('See LST CONF', '请查看 LST CONF');
const SEE_LIVE = text('See DSP CONF', '请查看 DSP CONF');
const NUMBER = text('number', '号码');
const USER = text('user', '用户');
const OPERATOR = text('operator', '操作员');

/**
 * What an operator sees of anything a handler threw: the one place where other rooms' errors become RETCODEs.
 * `subject` is what the command was about, for errors that do not say.
 */
export function toMmlError(error: unknown, serial: number, subject = ''): MmlError {
  if (error instanceof MmlError) return error;
  if (!(error instanceof AppError)) return new MmlError(5999, { serial }, error);
  const name = String(error.context['username'] ?? error.context['name'] ?? subject);
  switch (error.code) {
    case 'USER_UNKNOWN':
      return new MmlError(4001, { what: USER, name, hint: SEE_USERS }, error);
    case 'USER_EXISTS':
      return new MmlError(4002, { what: text('User', '用户'), name }, error);
    case 'NUMBER_UNKNOWN':
      return new MmlError(4001, { what: NUMBER, name, hint: SEE_NUMBERS }, error);
    case 'NUMBER_EXISTS':
      return new MmlError(4002, { what: text('Number', '号码'), name }, error);
    case 'TRUNK_UNKNOWN':
      return new MmlError(4001, { what: text('trunk', '中继'), name, hint: SEE_TRUNKS }, error);
    case 'TRUNK_EXISTS':
      return new MmlError(4002, { what: text('Trunk', '中继'), name }, error);
    case 'ROUTE_UNKNOWN':
      return new MmlError(4001, { what: text('route', '路由'), name, hint: SEE_ROUTES }, error);
    case 'ROUTE_EXISTS':
      return new MmlError(4002, { what: text('Route', '路由'), name }, error);
    case 'SOURCE_UNKNOWN':
      return new MmlError(4001, { what: text('entry', '条目'), name, hint: SEE_SOURCES }, error);
    case 'SOURCE_EXISTS':
      return new MmlError(
        3007,
        {
          reason: text(
            `${name} is in the list already; take it out with RMV first`,
            `${name} 已在名单中；请先用 RMV 移除`,
          ),
        },
        error,
      );
    case 'RELAY_UNKNOWN':
      return new MmlError(4001, { what: text('relay', '媒体中继'), name, hint: SEE_RELAYS }, error);
    case 'RELAY_EXISTS':
      return new MmlError(4002, { what: text('Relay', '媒体中继'), name }, error);
    case 'RELAY_BUSY':
    case 'RELAY_FIXED':
      return new MmlError(3007, { reason: error.message }, error);
    case 'DIALJOB_UNKNOWN':
      return new MmlError(4001, { what: text('dial job', '拨号任务'), name, hint: SEE_JOBS }, error);
    case 'CONF_UNKNOWN':
      return new MmlError(4001, { what: text('room', '会议室'), name, hint: SEE_ROOMS }, error);
    case 'CONF_EXISTS':
      return new MmlError(4002, { what: text('Room', '会议室'), name }, error);
    case 'CONF_EMPTY':
      return new MmlError(
        4001,
        { what: text('room with members', '有成员的会议室'), name, hint: SEE_LIVE },
        error,
      );
    case 'CONF_MEMBER_UNKNOWN':
      return new MmlError(4001, { what: text('member', '成员'), name, hint: SEE_LIVE }, error);
    case 'DIALSVC_OFF':
    case 'DIAL_BUSY':
      return new MmlError(3007, { reason: error.message }, error);
    case 'OPERATOR_UNKNOWN':
      return new MmlError(4001, { what: OPERATOR, name, hint: SEE_OPERATORS }, error);
    case 'OPERATOR_EXISTS':
      return new MmlError(4002, { what: text('Operator', '操作员'), name }, error);
    case 'TASK_UNKNOWN':
      return new MmlError(4001, { what: text('task', '任务'), name, hint: SEE_TASKS }, error);
    case 'TASK_EXISTS':
      return new MmlError(4002, { what: text('Task', '任务'), name }, error);
    case 'TASK_BUSY':
      return new MmlError(3007, { reason: taskReason(name, '正在执行；请用 STP TASK 结束', error) }, error);
    case 'TASKS_FULL':
      return new MmlError(
        3007,
        { reason: taskReason('', '正在执行的任务过多；请稍候或用 STP TASK 结束一个', error) },
        error,
      );
    case 'TASK_IDLE':
      return new MmlError(3007, { reason: taskReason(name, '不在本服务器上执行', error) }, error);
    case 'TASK_PAST':
      return new MmlError(
        2010,
        { reason: taskReason('', '任务的时间已过；请用 AT 给出将来的时间', error) },
        error,
      );
    case 'CMDGROUP_UNKNOWN':
      return new MmlError(4001, { what: text('command group', '命令组'), name, hint: SEE_CMDGROUPS }, error);
    case 'CMDGROUP_EXISTS':
      return new MmlError(4002, { what: text('Command group', '命令组'), name }, error);
    case 'USERNAME_INVALID':
    case 'OPERATOR_NAME_INVALID':
      return new MmlError(2009, { reason: error.message }, error);
    case 'OPERATOR_LAST_ADMIN':
      return new MmlError(3007, { reason: error.message }, error);
    case 'OPERATOR_HOURS': {
      const reason = text('this operator has other working hours', '不在该操作员的工作时间内');
      return new MmlError(3007, { reason }, error);
    }
    case 'FIELD_INVALID':
    case 'BAD_RELAY_URL':
    case 'SOUND_UNUSABLE':
      return new MmlError(2010, { reason: error.message }, error);
    case 'PASSWORD_WEAK':
      return new MmlError(2008, { reason: error.message }, error);
    case 'CONFIG_INVALID':
      return new MmlError(2010, { reason: error.message }, error);
    case 'SETTING_SECRET':
    case 'SETTING_EARLY':
    case 'SETTING_NOT_LIVE':
    case 'SETTING_OVERRIDDEN':
    case 'SETTING_NO_STORE':
      return new MmlError(3007, { reason: settingReason(error) }, error);
    case 'STORE_UNAVAILABLE':
      return new MmlError(5001, {}, error);
    case 'TIMEOUT':
      return new MmlError(5003, { seconds: '?' }, error);
    default:
      return new MmlError(5002, { part: error.name, reason: error.message }, error);
  }
}

const taskReason = (name: string, zh: string, { message }: AppError): Bilingual =>
  text(message, `${name} ${zh}`.trim());

/** Why a setting cannot be set here, and where it can. */
function settingReason({ code, context }: AppError): Bilingual {
  const [key, origin] = [String(context['key']), String(context['origin'])];
  switch (code) {
    case 'SETTING_SECRET':
      return text(
        `${key} may hold a secret; set it by environment or settings file, it takes effect at the next start`,
        `${key} 可能含敏感信息；请在环境变量或配置文件中设置，下次启动时生效`,
      );
    case 'SETTING_EARLY':
      return text(
        `${key} is needed before the store is open; set it by flag, environment or settings file, it takes effect at the next start`,
        `${key} 在打开存储之前就需要；请用启动参数、环境变量或配置文件设置，下次启动时生效`,
      );
    case 'SETTING_NOT_LIVE':
      return text(
        `${key} cannot change while the server runs; without SAVE=NO it is kept and takes effect at the next start`,
        `${key} 不能在运行中修改；不带 SAVE=NO 时将保存并在下次启动时生效`,
      );
    case 'SETTING_NO_STORE':
      return text('the store was away when the server started', '服务启动时存储不可用');
    default:
      return text(
        `${key} comes from the ${origin}, which is stronger than what the console keeps; change it there, or give SAVE=NO where it can change until the next start`,
        `${key} 来自 ${ORIGINS[origin] ?? origin}，优先于控制台保存的值；请在那里修改，可在线修改的也可用 SAVE=NO 临时修改`,
      );
  }
}

const ORIGINS: Readonly<Record<string, string>> = {
  flag: '启动参数',
  environment: '环境变量',
  file: '配置文件',
};
