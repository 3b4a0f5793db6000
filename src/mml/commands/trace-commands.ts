import type { TraceFilter, TraceService, TraceState, WireMessage } from '../../trace/types.js';
import { summaryOf, wireLadder } from '../../trace/wire-ladder.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec, type Row, type Section } from '../registry/command.js';
import { boolean, ip, string, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { localTime } from '../report/cells.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { LIMIT } from './paging.js';

/** Records looked through for the other legs of a call that is over. */
const RECORDS_SEARCHED = 200;

const stateReport: ReportSpec = {
  name: 'trace',
  title: text('Trace', '消息跟踪'),
  columns: [
    { key: 'active', title: text('Running', '运行中'), format: 'yesno' },
    { key: 'user', title: text('User', '用户') },
    { key: 'callIds', title: text('Call-IDs', 'Call-ID') },
    { key: 'address', title: text('Address', '地址') },
    { key: 'kept', title: text('Messages kept', '已保存消息') },
    { key: 'lost', title: text('Older ones dropped', '已丢弃的旧消息') },
  ],
};

const callsReport: ReportSpec = {
  name: 'tracedCalls',
  title: text('Traced calls', '被跟踪的呼叫'),
  layout: 'table',
  columns: [
    { key: 'at', title: text('First message', '首条消息'), format: 'time' },
    { key: 'first', title: text('Message', '消息') },
    { key: 'peer', title: text('Peer', '对端') },
    { key: 'messages', title: text('Messages', '消息数') },
    { key: 'callId', title: text('Call-ID', 'Call-ID') },
  ],
};

const CALLID = {
  type: string(),
  purpose: text('SIP Call-ID, or the call as DSP CALL and LST CDR show it', 'SIP Call-ID，或呼叫号'),
  example: '"a84b4c76e66710@pc33"',
} as const;

const startTrace = defineCommand({
  verb: 'STR',
  object: 'TRACE',
  purpose: text(
    'Keep SIP messages as they are on the wire: those of a user, a call or an address, or all; what was kept before is dropped',
    '开始跟踪 SIP 消息：按用户、呼叫或地址，缺省为全部；之前保存的消息将被清除',
  ),
  params: {
    USER: { type: username, purpose: text('Caller or callee', '主叫或被叫'), example: '1001' },
    CALLID,
    IP: { type: ip, purpose: text('Address of the peer', '对端地址'), example: '192.0.2.7' },
  },
  reports: [stateReport],
  examples: ['STR TRACE', 'STR TRACE: USER=1001', 'STR TRACE: CALLID="a84b4c76e66710@pc33"'],
  async handler({ services }, { USER: user, CALLID: wanted, IP: address }) {
    const callIds = wanted === undefined ? undefined : await callIdsOf(services, wanted);
    const filter: TraceFilter = {
      ...(user !== undefined && { user }),
      ...(callIds && { callIds }),
      ...(address !== undefined && { address }),
    };
    return { sections: [stateSection(await tracesOf(services).start(filter))] };
  },
});

const stopTrace = defineCommand({
  verb: 'STP',
  object: 'TRACE',
  purpose: text('Keep no more SIP messages; those kept can still be shown', '停止跟踪，已保存的消息仍可查询'),
  params: {},
  reports: [stateReport],
  examples: ['STP TRACE'],
  handler: async ({ services }) => ({ sections: [stateSection(await tracesOf(services).stop())] }),
});

const displayTrace = defineCommand({
  verb: 'DSP',
  object: 'TRACE',
  role: 'OPERATOR',
  purpose: text(
    'Show what a trace kept: its calls, or both legs of one as a ladder, with the messages in full',
    '查询跟踪结果：呼叫列表，或一个呼叫两侧的消息流程图及消息全文',
  ),
  params: {
    CALLID,
    DETAIL: { type: boolean, purpose: text('Messages in full', '显示消息全文'), default: 'NO' },
    LIMIT,
    WATCH,
  },
  reports: [stateReport, callsReport],
  examples: ['DSP TRACE', 'DSP TRACE: CALLID="a84b4c76e66710@pc33", DETAIL=YES'],
  async handler({ services }, { CALLID: wanted, DETAIL: isDetailed, LIMIT: limit }) {
    const { state, messages } = await tracesOf(services).read();
    if (wanted === undefined)
      return {
        sections: [stateSection(state), { report: callsReport, rows: callRows(messages).slice(0, limit) }],
      };
    const callIds = new Set(await callIdsOf(services, wanted));
    const found = messages.filter(({ callId }) => callIds.has(callId));
    if (found.length === 0) throw noSuchTrace(wanted);
    return { sections: [ladderSection(found), ...(isDetailed ? [detailSection(found)] : [])] };
  },
});

function tracesOf({ traces }: Services): TraceService {
  if (traces) return traces;
  const reason = text('only the built-in SIP engine keeps messages', '仅内置 SIP 引擎支持消息跟踪');
  throw new MmlError(5002, { part: text('The SIP engine', 'SIP 引擎'), reason });
}

/** The Call-IDs of all legs of a call that is named by one of them or by its own name. */
async function callIdsOf({ calls, records }: Services, wanted: string): Promise<string[]> {
  for (const { id, callId } of calls.list()) {
    const legs = new Set([callId]);
    for (const { event } of calls.get(id)?.timeline ?? [])
      if (event.kind === 'attempt') legs.add(event.callId);
    if (id === wanted || legs.has(wanted)) return [...legs];
  }
  // A Store that is away hides the other leg, not this one.
  const recent = await records.query({ limit: RECORDS_SEARCHED }).catch(() => ({ records: [] }));
  for (const { id, callId, bCallIds } of recent.records)
    if (id === wanted || callId === wanted || bCallIds.includes(wanted)) return [callId, ...bCallIds];
  return [wanted];
}

function stateSection({ active, filter, kept, lost }: TraceState): Section {
  const { user, callIds, address } = filter;
  const row = { active, user, callIds: callIds?.join(' '), address, kept, lost };
  return { report: stateReport, rows: [row] };
}

/** One row a Call-ID, newest first. */
function callRows(messages: readonly WireMessage[]): Row[] {
  const rows = new Map<
    string,
    { at: number; first: string; peer: string; messages: number; callId: string }
  >();
  for (const { at, peer, callId, text: message } of messages) {
    const row = rows.get(callId);
    if (row) row.messages++;
    else rows.set(callId, { at, first: summaryOf(message), peer, messages: 1, callId });
  }
  return [...rows.values()].reverse();
}

function ladderSection(messages: readonly WireMessage[]): Section {
  const lines = wireLadder(messages).split('\n').filter(Boolean);
  return { name: 'ladder', title: text('Messages on the wire', '线上消息'), lines };
}

function detailSection(messages: readonly WireMessage[]): Section {
  const lines = messages.flatMap(({ at, sent, protocol, local, peer, text: message }) => [
    `${clockTime(at)}  ${protocol} ${local} ${sent ? '->' : '<-'} ${peer}`,
    ...shownText(message).map((line) => `  ${line}`),
    '',
  ]);
  return { name: 'messages', title: text('Messages in full', '消息全文'), lines };
}

/** `12:00:00.123`. */
function clockTime(at: number): string {
  return `${localTime(at).slice(11, 19)}.${String(Math.trunc(at % 1000)).padStart(3, '0')}`;
}

/** The octets are UTF-8 to people; what a terminal would obey is shown as dots by every report. */
function shownText(message: string): string[] {
  return Buffer.from(message, 'latin1').toString('utf8').trimEnd().split(/\r?\n/);
}

function noSuchTrace(name: string): MmlError {
  const hint = text(
    'Begin with STR TRACE before the call; DSP TRACE lists what was kept',
    '请在呼叫前执行 STR TRACE；DSP TRACE 列出已保存的呼叫',
  );
  return new MmlError(4001, { what: text('traced call', '被跟踪的呼叫'), name, hint });
}

/** Messages of the wire: STR TRACE, STP TRACE, DSP TRACE. */
export const traceCommands: readonly Command[] = [startTrace, stopTrace, displayTrace];
