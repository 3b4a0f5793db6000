import type { CallView } from '../../call/types.js';
import { MmlError } from '../errors.js';
import { LONG_COMMAND_TIMEOUT_MS } from '../limits.js';
import {
  type Command,
  defineCommand,
  type ParamSpec,
  type ReportSpec,
  type Values,
} from '../registry/command.js';
import { flag, oneOf, string, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { callReport, callRow, callSections } from './call-report.js';
import { mediaReport } from './media-report.js';
import { LIMIT } from './paging.js';

/** Calls that CLR CALL ends together, before the next ones. */
const CLEARED_AT_ONCE = 50;

const CALL_STATES = ['routing', 'ringing', 'announcing', 'connected', 'held', 'ending'] as const;

const countReport: ReportSpec = {
  name: 'callCounts',
  title: text('Call statistics', '呼叫统计'),
  columns: [
    { key: 'active', title: text('Calls now', '当前呼叫') },
    { key: 'connected', title: text('Connected now', '已接通') },
    { key: 'total', title: text('Since start', '启动以来') },
  ],
};

const suggestCalls = async (services: Services) =>
  services.calls
    .list()
    .slice(0, 20)
    .map((call) => call.id);

const ID = {
  type: string({ max: 64 }),
  purpose: text('Call, as DSP CALL shows it', '呼叫号，见 DSP CALL'),
  example: '01JD0X8Z5V3Q2R1T4Y6W7S9ABC',
  suggest: suggestCalls,
} as const satisfies ParamSpec;

const CALLID = {
  type: string(),
  purpose: text('SIP Call-ID, or the call as DSP CALL shows it', 'SIP Call-ID，或呼叫号'),
  example: '"a84b4c76e66710@pc33"',
  suggest: suggestCalls,
} as const satisfies ParamSpec;

const WHICH = {
  NUMBER: {
    type: username,
    purpose: text('Caller, callee or dialled number', '主叫、被叫或所拨号码'),
    example: '1001',
  },
  STATE: { type: oneOf(CALL_STATES), purpose: text('State', '状态') },
} as const;

function pickCalls(services: Services, { NUMBER: number, STATE: state }: Values<typeof WHICH>): CallView[] {
  return services.calls
    .list()
    .filter((call) => number === undefined || [call.caller, call.callee, call.dialled].includes(number))
    .filter((call) => state === undefined || call.state === state);
}

const displayCalls = defineCommand({
  verb: 'DSP',
  object: 'CALL',
  purpose: text('Show the calls that are up; one call in full with ID or CALLID', '查询当前呼叫'),
  params: {
    ID,
    CALLID,
    ...WHICH,
    LIMIT,
    ACTIVE: { type: flag('ACTIVE'), purpose: text('All calls that are up', '全部当前呼叫'), keyword: true },
    WATCH,
  },
  excludes: [['ID', 'CALLID']],
  reports: [callReport, mediaReport],
  examples: ['DSP CALL', 'DSP CALL: NUMBER=1001', 'DSP CALL: ID=01JD0X8Z5V3Q2R1T4Y6W7S9ABC'],
  async handler({ services, clock, session }, { ID: id, CALLID: callId, LIMIT: limit, ...which }) {
    const now = clock.now();
    const wanted = id ?? callId;
    if (wanted !== undefined)
      return { sections: await callSections(services, findCall(services, wanted), now, session) };
    const found = pickCalls(services, which);
    const rows = found.slice(0, limit).map((call) => callRow(call, now));
    const note = text(
      `Shown: ${rows.length} of ${found.length}`,
      `显示 ${found.length} 个中的 ${rows.length} 个`,
    );
    return { sections: [{ report: callReport, rows, ...(found.length > limit && { note }) }] };
  },
});

const countCalls = defineCommand({
  verb: 'DSP',
  object: 'CALL',
  variant: 'STAT',
  purpose: text('Count the calls', '查询呼叫统计'),
  params: { WATCH },
  reports: [countReport],
  examples: ['DSP CALL STAT'],
  handler: ({ services }) => ({ sections: [{ report: countReport, rows: [{ ...services.calls.count() }] }] }),
});

const endedReport: ReportSpec = {
  name: 'endedCall',
  title: text('Call ended', '已结束的呼叫'),
  columns: [
    { key: 'id', title: text('Call', '呼叫号') },
    { key: 'caller', title: text('Caller', '主叫') },
    { key: 'callee', title: text('Callee', '被叫') },
    { key: 'result', title: text('Result', '结果') },
    { key: 'billSec', title: text('Answered for', '通话时长'), format: 'seconds' },
  ],
};

const removeCall = defineCommand({
  verb: 'RMV',
  object: 'CALL',
  purpose: text('End a call: BYE to both parties', '强制结束呼叫'),
  params: { ID, CALLID },
  oneOf: [['ID', 'CALLID']],
  excludes: [['ID', 'CALLID']],
  dangerous: text('The call ends for both parties.', '双方的通话将被结束。'),
  reports: [endedReport],
  examples: ['RMV CALL: ID=01JD0X8Z5V3Q2R1T4Y6W7S9ABC', 'RMV CALL CALLID="a84b4c76e66710@pc33" CONFIRM=YES'],
  async handler({ services }, { ID: id, CALLID: callId }) {
    const call = findCall(services, (id ?? callId)!);
    const record = await services.calls.end(call.id);
    if (!record) throw noSuchCall(call.id);
    const { callerNumber: caller, calleeNumber: callee, result, billSec } = record;
    return {
      sections: [{ report: endedReport, rows: [{ id: record.id, caller, callee, result, billSec }] }],
    };
  },
});

const connectedReport: ReportSpec = {
  name: 'startedCall',
  title: text('Call begun', '已发起的呼叫'),
  columns: [
    { key: 'id', title: text('Call', '呼叫号') },
    { key: 'from', title: text('Rung first', '先振铃方') },
    { key: 'to', title: text('Then called', '被叫') },
  ],
};

const connectCall = defineCommand({
  verb: 'STR',
  object: 'CALL',
  variant: 'CONNECT',
  purpose: text(
    'Click to call: ring the phones of a user, then call a number for it',
    '点击拨号：先呼叫用户的话机，再呼叫对方号码',
  ),
  params: {
    FROM: {
      type: username,
      purpose: text('User whose phones ring first', '先振铃的用户'),
      required: true,
      example: '1001',
    },
    TO: {
      type: username,
      purpose: text('Number to be called then', '随后呼叫的号码'),
      required: true,
      example: '1002',
    },
  },
  reports: [connectedReport],
  examples: ['STR CALL CONNECT: FROM=1001, TO=1002'],
  async handler({ services, session }, { FROM: from, TO: to }) {
    const id = await services.clicks.connect(from, to, session.operator);
    if (id === undefined) {
      const hint = text('See LST USER', '请查看 LST USER');
      throw new MmlError(4001, { what: text('user', '用户'), name: from, hint });
    }
    return { sections: [{ report: connectedReport, rows: [{ id, from, to }] }] };
  },
});

const clearedReport: ReportSpec = {
  name: 'clearedCalls',
  title: text('Calls ended', '已结束的呼叫'),
  columns: [{ key: 'ended', title: text('Calls', '呼叫数') }],
};

const clearCalls = defineCommand({
  verb: 'CLR',
  object: 'CALL',
  purpose: text(
    'End all calls, or those of a number or state: BYE to both parties',
    '强制结束全部呼叫，或指定号码、状态的呼叫',
  ),
  params: {
    ...WHICH,
    ALL: { type: flag('ALL'), purpose: text('All calls', '全部呼叫'), keyword: true },
  },
  dangerous: text('The calls end for both parties.', '双方的通话将被结束。'),
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  reports: [clearedReport],
  examples: ['CLR CALL: CONFIRM=YES', 'CLR CALL ALL CONFIRM=YES', 'CLR CALL: NUMBER=1001, CONFIRM=YES'],
  async handler({ services, signal }, which) {
    const wanted = pickCalls(services, which);
    let ended = 0;
    for (let from = 0; from < wanted.length; from += CLEARED_AT_ONCE) {
      if (signal.aborted) throw new MmlError(4006);
      const some = wanted.slice(from, from + CLEARED_AT_ONCE);
      const records = await Promise.all(some.map(({ id }) => services.calls.end(id)));
      ended += records.filter((record) => record !== undefined).length;
    }
    return { sections: [{ report: clearedReport, rows: [{ ended }] }] };
  },
});

function findCall(services: Services, wanted: string): CallView {
  const call = services.calls.list().find(({ id, callId }) => id === wanted || callId === wanted);
  if (!call) throw noSuchCall(wanted);
  return call;
}

function noSuchCall(name: string): MmlError {
  const hint = text('It may have ended: see DSP CALL and LST CDR', '可能已结束：请查看 DSP CALL 和 LST CDR');
  return new MmlError(4001, { what: text('call', '呼叫'), name, hint });
}

/** Live calls: DSP CALL, DSP CALL STAT, STR CALL CONNECT, RMV CALL, CLR CALL. */
export const callCommands: readonly Command[] = [
  displayCalls,
  countCalls,
  connectCall,
  removeCall,
  clearCalls,
];
