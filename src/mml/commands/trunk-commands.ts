import type { TrunkState, TrunkView } from '../../trunks/types.js';
import { MmlError } from '../errors.js';
import {
  type Command,
  type CommandResult,
  defineCommand,
  type ReportSpec,
  type Row,
} from '../registry/command.js';
import { WATCH } from '../registry/watch.js';
import { ANSWER_WORDS, HEALTH_WORDS, REGISTRATION_WORDS } from '../report/words.js';
import { text } from '../text.js';
import { translationReport, translationRows } from './translation-commands.js';
import { TRUNK, TRUNK_PARAMS, toTrunkInput } from './trunk-params.js';

const listReport: ReportSpec = {
  name: 'trunks',
  title: text('Trunks', '中继'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'address', title: text('Address', '地址') },
    { key: 'transport', title: text('Transport', '传输') },
    { key: 'register', title: text('Registers', '注册'), format: 'yesno' },
    { key: 'sources', title: text('Calls come from', '呼入来源') },
    { key: 'maxCalls', title: text('Calls', '并发上限') },
  ],
};

const trunkReport: ReportSpec = {
  name: 'trunk',
  title: text('Trunk', '中继'),
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'address', title: text('Address', '地址') },
    { key: 'transport', title: text('Transport', '传输') },
    { key: 'sources', title: text('Calls come from', '呼入来源') },
    { key: 'username', title: text('Our name', '我方用户名') },
    { key: 'hasPassword', title: text('Our password is set', '已设我方密码'), format: 'yesno' },
    { key: 'register', title: text('Registers', '注册'), format: 'yesno' },
    { key: 'registerSec', title: text('For', '注册时长'), format: 'seconds' },
    { key: 'domain', title: text('Domain', '域') },
    { key: 'inUsername', title: text('Its name', '对端用户名') },
    { key: 'hasInPassword', title: text('Its password is set', '已设对端密码'), format: 'yesno' },
    { key: 'optionsSec', title: text('OPTIONS every', 'OPTIONS 间隔'), format: 'seconds' },
    { key: 'downAfter', title: text('Down after', '几次判故障') },
    { key: 'upAfter', title: text('Up after', '几次判恢复') },
    { key: 'maxCalls', title: text('Calls at once', '并发上限') },
    { key: 'maxRate', title: text('Calls a second', '每秒呼叫上限') },
    { key: 'maxDurationSec', title: text('Longest call', '最长通话'), format: 'seconds' },
    { key: 'silenceSec', title: text('Without media', '无媒体时限'), format: 'seconds' },
    { key: 'sessionSec', title: text('Session timer', '会话定时器'), format: 'seconds' },
    { key: 'trySec', title: text('Silent for', '无响应时限'), format: 'seconds' },
    { key: 'identity', title: text('Identity', '主叫身份头域') },
    { key: 'anonymous', title: text('Anonymous', '匿名'), format: 'yesno' },
    { key: 'fromUser', title: text('From', 'From 用户') },
    { key: 'trustIdentity', title: text('Identity believed', '信任主叫身份'), format: 'yesno' },
    { key: 'codecs', title: text('Codecs first', '优先编解码') },
    { key: 'dropCodecs', title: text('Codecs out', '去除编解码') },
    { key: 'transit', title: text('Transit', '允许转接出局'), format: 'yesno' },
    { key: 'mayReturn', title: text('Return', '允许返回'), format: 'yesno' },
  ],
};

const stateReport: ReportSpec = {
  name: 'states',
  title: text('Trunks', '中继'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'health', title: text('Health', '健康'), words: HEALTH_WORDS },
    { key: 'healthReason', title: text('Last answer', '最近响应'), words: ANSWER_WORDS },
    { key: 'registration', title: text('Registration', '注册'), words: REGISTRATION_WORDS },
    { key: 'callsIn', title: text('In', '呼入') },
    { key: 'callsOut', title: text('Out', '呼出') },
    { key: 'rate', title: text('A second', '每秒') },
    { key: 'refused', title: text('Refused', '已拒绝') },
  ],
};

const oneStateReport: ReportSpec = {
  name: 'state',
  title: text('Trunk', '中继'),
  columns: [
    ...stateReport.columns,
    { key: 'address', title: text('Address', '地址') },
    { key: 'healthSince', title: text('Health since', '健康状态起始'), format: 'time' },
    { key: 'registrationReason', title: text('Last REGISTER', '最近注册响应'), words: ANSWER_WORDS },
    { key: 'expiresAt', title: text('Registered until', '注册到期'), format: 'time' },
    { key: 'nextAt', title: text('Next REGISTER', '下次注册'), format: 'time' },
  ],
};

function toRow({ rules: _rules, sources, codecs, dropCodecs, ...trunk }: TrunkView): Row {
  return {
    ...trunk,
    sources: sources.join(' '),
    codecs: codecs.join(' '),
    dropCodecs: dropCodecs.join(' '),
  };
}

function toStateRow({ registration, ...state }: TrunkState): Row {
  const { state: registered, reason, expiresAt, nextAt } = registration;
  return { ...state, registration: registered, registrationReason: reason, expiresAt, nextAt };
}

function oneTrunk(trunk: TrunkView): CommandResult {
  const rules = translationRows(trunk);
  return {
    sections: [
      { report: trunkReport, rows: [toRow(trunk)] },
      ...(rules.length > 0 ? [{ report: translationReport, rows: rules }] : []),
    ],
  };
}

function unknownTrunk(name: string): MmlError {
  const hint = text('See LST TRUNK', '请查看 LST TRUNK');
  return new MmlError(4001, { what: text('trunk', '中继'), name, hint });
}

const listTrunks = defineCommand({
  verb: 'LST',
  object: 'TRUNK',
  purpose: text(
    'List the trunks; one in full with NAME. Passwords are never shown',
    '查询中继；带 NAME 时显示全部参数，不显示密码',
  ),
  params: { NAME: TRUNK },
  reports: [listReport, trunkReport, translationReport],
  examples: ['LST TRUNK', 'LST TRUNK: NAME=carrier1'],
  handler({ services }, { NAME: name }) {
    const trunks = services.trunks.list();
    if (name === undefined) return { sections: [{ report: listReport, rows: trunks.map(toRow) }] };
    const trunk = trunks.find((one) => one.name === name);
    if (!trunk) throw unknownTrunk(name);
    return oneTrunk(trunk);
  },
});

const displayTrunks = defineCommand({
  verb: 'DSP',
  object: 'TRUNK',
  purpose: text(
    'Show trunks as they are: health, registration, calls',
    '显示中继的实时状态：健康、注册、呼叫',
  ),
  params: { NAME: TRUNK, WATCH },
  reports: [stateReport, oneStateReport],
  examples: ['DSP TRUNK', 'DSP TRUNK: NAME=carrier1'],
  handler({ services }, { NAME: name }) {
    const states = services.trunks.states();
    if (name === undefined) return { sections: [{ report: stateReport, rows: states.map(toStateRow) }] };
    const state = states.find((one) => one.name === name);
    if (!state) throw unknownTrunk(name);
    return { sections: [{ report: oneStateReport, rows: [toStateRow(state)] }] };
  },
});

const addTrunk = defineCommand({
  verb: 'ADD',
  object: 'TRUNK',
  purpose: text('Create a trunk to a carrier or gateway', '增加到运营商或网关的中继'),
  params: {
    NAME: { ...TRUNK, required: true },
    ...TRUNK_PARAMS,
    STATUS: { ...TRUNK_PARAMS.STATUS, default: 'ACTIVE' },
    TRANSPORT: { ...TRUNK_PARAMS.TRANSPORT, default: 'udp' },
    REGISTER: { ...TRUNK_PARAMS.REGISTER, default: 'NO' },
    REGSEC: { ...TRUNK_PARAMS.REGSEC, default: '600' },
    OPTIONSSEC: { ...TRUNK_PARAMS.OPTIONSSEC, default: '30' },
    DOWNAFTER: { ...TRUNK_PARAMS.DOWNAFTER, default: '3' },
    UPAFTER: { ...TRUNK_PARAMS.UPAFTER, default: '2' },
    MAXCALLS: { ...TRUNK_PARAMS.MAXCALLS, default: '0' },
    MAXRATE: { ...TRUNK_PARAMS.MAXRATE, default: '0' },
    MAXDUR: { ...TRUNK_PARAMS.MAXDUR, default: '0' },
    SILENCESEC: { ...TRUNK_PARAMS.SILENCESEC, default: '0' },
    SESSIONSEC: { ...TRUNK_PARAMS.SESSIONSEC, default: '0' },
    TRYSEC: { ...TRUNK_PARAMS.TRYSEC, default: '12' },
    IDENTITY: { ...TRUNK_PARAMS.IDENTITY, default: 'NONE' },
    ANONYMOUS: { ...TRUNK_PARAMS.ANONYMOUS, default: 'NO' },
    TRUSTID: { ...TRUNK_PARAMS.TRUSTID, default: 'NO' },
    TRANSIT: { ...TRUNK_PARAMS.TRANSIT, default: 'NO' },
    RETURN: { ...TRUNK_PARAMS.RETURN, default: 'NO' },
  },
  oneOf: [['ADDRESS', 'SOURCES', 'INUSER']],
  reports: [trunkReport],
  examples: [
    'ADD TRUNK: NAME=carrier1, ADDRESS=192.0.2.7, IDENTITY=PAI, MAXCALLS=30',
    'ADD TRUNK: NAME=carrier2, ADDRESS=sip.carrier.example, USER=acme, PASSWORD="s3cret words", REGISTER=YES',
  ],
  async handler({ services }, values) {
    return oneTrunk(await services.trunks.add(values.NAME, toTrunkInput(values)));
  },
});

const modifyTrunk = defineCommand({
  verb: 'MOD',
  object: 'TRUNK',
  purpose: text('Change a trunk; calls that are up go on', '修改中继；已建立的呼叫不受影响'),
  params: { NAME: { ...TRUNK, required: true }, ...TRUNK_PARAMS },
  oneOf: [Object.keys(TRUNK_PARAMS) as (keyof typeof TRUNK_PARAMS)[]],
  reports: [trunkReport],
  examples: ['MOD TRUNK: NAME=carrier1, MAXCALLS=60', 'MOD TRUNK: NAME=carrier1, STATUS=INACTIVE'],
  async handler({ services }, values) {
    return oneTrunk(await services.trunks.modify(values.NAME, toTrunkInput(values)));
  },
});

const removeTrunk = defineCommand({
  verb: 'RMV',
  object: 'TRUNK',
  purpose: text('Remove a trunk that no route leads to', '删除没有路由引用的中继'),
  params: { NAME: { ...TRUNK, required: true } },
  examples: ['RMV TRUNK: NAME=carrier1'],
  async handler({ services }, { NAME: name }) {
    await services.trunks.remove(name);
    return {};
  },
});

/** Trunks: LST, DSP, ADD, MOD, RMV TRUNK. */
export const trunkCommands: readonly Command[] = [
  listTrunks,
  displayTrunks,
  addTrunk,
  modifyTrunk,
  removeTrunk,
];
