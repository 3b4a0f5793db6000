import { type Bilingual, text } from '../text.js';

/**
 * Words of the server as reports print them in either language; JSON keeps the word. What stands here is made for people:
 * states and origins in lower case. Words that operators type or scripts look for stay as they are in both languages, and so do
 * those of protocols: `ACTIVE`, `ANSWERED`, `ADMIN`, `no-answer` and other reasons of records, `udp`, `audio`, `200 OK`.
 */
export type Words<Word extends string = string> = Readonly<Record<Word, Bilingual>>;

export const CALL_STATE_WORDS = {
  routing: text('routing', '选路中'),
  ringing: text('ringing', '振铃中'),
  announcing: text('announcing', '放音中'),
  connected: text('connected', '通话中'),
  held: text('held', '保持中'),
  ending: text('ending', '释放中'),
} satisfies Words;

export const DIAL_STATE_WORDS = {
  running: text('running', '进行中'),
  waiting: text('waiting', '等待中'),
  calling: text('calling', '呼叫中'),
  ringing: text('ringing', '振铃中'),
  talking: text('talking', '通话中'),
  done: text('done', '已完成'),
  failed: text('failed', '失败'),
  stopped: text('stopped', '已停止'),
} satisfies Words;

export const HEALTH_WORDS = {
  up: text('up', '正常'),
  down: text('down', '故障'),
  unwatched: text('unwatched', '未监测'),
} satisfies Words;

export const REGISTRATION_WORDS = {
  off: text('off', '不注册'),
  trying: text('trying', '注册中'),
  registered: text('registered', '已注册'),
  failed: text('failed', '失败'),
} satisfies Words;

export const SERVER_STATE_WORDS = {
  starting: text('starting', '启动中'),
  running: text('running', '运行中'),
  draining: text('draining', '排空中'),
} satisfies Words;

export const SERVICE_WORDS = {
  'sip-engine': text('sip-engine', 'SIP 引擎'),
  calls: text('calls', '呼叫'),
  'media-relay': text('media-relay', '媒体中继'),
  store: text('store', '存储'),
  records: text('records', '话单'),
  trunks: text('trunks', '中继'),
  'dial-service': text('dial-service', '拨号业务'),
  console: text('console', '控制台'),
} satisfies Words;

export const UNIT_WORDS = { core: text('core', '核'), '/s': text('/s', '/秒') } satisfies Words;

export const ORIGIN_WORDS = {
  flag: text('flag', '命令行'),
  environment: text('environment', '环境变量'),
  file: text('file', '配置文件'),
  stored: text('stored', '已保存'),
  default: text('default', '默认值'),
  'not set': text('not set', '未设置'),
  running: text('running', '运行时修改'),
} satisfies Words;

export const ACCESS_WORDS = {
  local: text('local', '本机'),
  task: text('task', '定时任务'),
} satisfies Words;

/** What a trunk answered, where it was no response: that quotes the protocol. */
export const ANSWER_WORDS = {
  'not asked yet': text('not asked yet', '尚未探测'),
  'not answered yet': text('not answered yet', '尚未应答'),
  'no answer': text('no answer', '无应答'),
  'not begun': text('not begun', '尚未开始'),
  stopped: text('stopped', '已停止'),
} satisfies Words;

export const ROUTE_OUTCOME_WORDS = { rings: text('rings', '振铃') } satisfies Words;

export const ROUND_WORDS = {
  phones: text('phones', '话机'),
  group: text('group', '寻线组'),
  trunk: text('trunk', '中继'),
  room: text('room', '会议室'),
} satisfies Words;

export const FAILURE_WORDS = {
  busy: text('busy', '遇忙'),
  'no-answer': text('no-answer', '无应答'),
  unreachable: text('unreachable', '不可及'),
} satisfies Words;
