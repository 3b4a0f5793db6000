import { clockTime, descriptionLines, messageLines } from '../../trace/message-text.js';
import type { TraceFilter, TraceState, WireMessage } from '../../trace/types.js';
import { summaryOf, wireLadder } from '../../trace/wire-ladder.js';
import { type Command, defineCommand, type ReportSpec, type Row, type Section } from '../registry/command.js';
import { boolean, ip, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { localTime } from '../report/cells.js';
import { text } from '../text.js';
import { LIMIT } from './paging.js';
import { exportTrace } from './trace-export-command.js';
import { CALLID, callIdsOf, messagesOfCall, tracesOf } from './traced-messages.js';

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
    'Show what a trace kept: its calls, or both legs of one as a ladder, with its SDP or the messages in full',
    '查询跟踪结果：呼叫列表，或一个呼叫两侧的消息流程图，可附 SDP 或消息全文',
  ),
  params: {
    CALLID,
    SDP: { type: boolean, purpose: text('Session descriptions (SDP)', '显示会话描述 (SDP)'), default: 'NO' },
    DETAIL: { type: boolean, purpose: text('Messages in full', '显示消息全文'), default: 'NO' },
    LIMIT,
    WATCH,
  },
  reports: [stateReport, callsReport],
  examples: [
    'DSP TRACE',
    'DSP TRACE: CALLID="a84b4c76e66710@pc33", SDP=YES',
    'DSP TRACE: CALLID="a84b4c76e66710@pc33", WATCH=1',
  ],
  async handler({ services, session }, { CALLID: wanted, SDP: hasSdp, DETAIL: isDetailed, LIMIT: limit }) {
    const { state, messages } = await tracesOf(services).read();
    if (wanted === undefined)
      return {
        sections: [stateSection(state), { report: callsReport, rows: callRows(messages).slice(0, limit) }],
      };
    const found = await messagesOfCall(services, messages, wanted);
    return {
      sections: [
        ladderSection(found, session.columns),
        ...(hasSdp ? [descriptionSection(found)] : []),
        ...(isDetailed ? [detailSection(found)] : []),
      ],
    };
  },
});

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

/** The ladder, as wide as the terminal; times count from the first message, whose own time is said first. */
function ladderSection(messages: readonly WireMessage[], width: number | undefined): Section {
  const first = messages[0]!.at;
  const lines = [
    `   0.000 = ${localTime(first).slice(0, 10)} ${clockTime(first)}`,
    ...wireLadder(messages, width === undefined ? {} : { width: width - 1 })
      .split('\n')
      .filter(Boolean),
  ];
  return { name: 'ladder', title: text('Messages on the wire', '线上消息'), lines };
}

function descriptionSection(messages: readonly WireMessage[]): Section {
  const lines = descriptionLines(messages);
  return { name: 'descriptions', title: text('Session descriptions', '会话描述'), lines };
}

function detailSection(messages: readonly WireMessage[]): Section {
  return { name: 'messages', title: text('Messages in full', '消息全文'), lines: messageLines(messages) };
}

/** Messages of the wire: STR TRACE, STP TRACE, DSP TRACE, EXP TRACE. */
export const traceCommands: readonly Command[] = [startTrace, stopTrace, displayTrace, exportTrace];
