import type { CallView } from '../../call/types.js';
import type { TimelineEntry } from '../../cdr/types.js';
import { ladder } from '../../trace/ladder.js';
import type { ReportSpec, Row, Section } from '../registry/command.js';
import { localTime } from '../report/cells.js';
import { CALL_STATE_WORDS } from '../report/words.js';
import type { Services } from '../services.js';
import type { SessionState } from '../session/session-state.js';
import { inLanguage, text } from '../text.js';
import { mediaReport, mediaRows } from './media-report.js';
import { timelineText } from './timeline-text.js';

/** Calls that are up. */
export const callReport: ReportSpec = {
  name: 'calls',
  title: text('Call', '呼叫'),
  columns: [
    { key: 'id', title: text('Call', '呼叫号') },
    { key: 'state', title: text('State', '状态'), words: CALL_STATE_WORDS },
    { key: 'caller', title: text('Caller', '主叫') },
    { key: 'callee', title: text('Callee', '被叫') },
    { key: 'dialled', title: text('Dialled', '所拨号码') },
    { key: 'startTime', title: text('Started', '开始时间'), format: 'time' },
    { key: 'durationSec', title: text('Duration', '时长'), format: 'seconds' },
    { key: 'talkSec', title: text('Answered for', '通话时长'), format: 'seconds' },
    { key: 'codec', title: text('Codec', '编码') },
    { key: 'callerAddress', title: text('Caller at', '主叫地址') },
    { key: 'calleeAddress', title: text('Callee at', '被叫地址') },
    { key: 'callId', title: text('Call-ID', 'Call-ID') },
  ],
};

/** A row of `callReport`; `now` in wall milliseconds. */
export function callRow(call: CallView, now: number): Row {
  const since = (at: number | undefined) =>
    at === undefined ? undefined : Math.max(0, Math.floor((now - at) / 1000));
  return { ...call, durationSec: since(call.startTime), talkSec: since(call.answerTime) };
}

/** One call in full: its streams, its events, its messages. */
export async function callSections(
  services: Services,
  call: CallView,
  now: number,
  session: SessionState,
): Promise<Section[]> {
  const streams = (await services.calls.media(call.id)) ?? [];
  const timeline = services.calls.get(call.id)?.timeline ?? [];
  return [
    { report: callReport, rows: [callRow(call, now)] },
    ...(streams.length > 0 ? [{ report: mediaReport, rows: mediaRows(streams) }] : []),
    ...timelineSections(timeline, session),
  ];
}

/** The events of a call, and its messages as a ladder. */
function timelineSections(
  timeline: readonly TimelineEntry[],
  { columns, language }: SessionState,
): Section[] {
  const events = timeline.filter(({ event }) => event.kind !== 'message');
  const start = timeline[0]?.mono ?? 0;
  const lines = events.map(
    ({ at, mono, event }) =>
      `  ${localTime(at).slice(11, 19)}  ${`+${((mono - start) / 1000).toFixed(3)} s`.padStart(11)}  ${inLanguage(timelineText(event), language)}`,
  );
  const drawn = ladder(timeline, columns === undefined ? {} : { width: columns - 1 })
    .split('\n')
    .filter(Boolean);
  return [
    ...(lines.length > 0 ? [{ name: 'timeline', title: text('Timeline', '过程'), lines }] : []),
    ...(drawn.length > 0 ? [{ name: 'ladder', title: text('Messages', '消息'), lines: drawn }] : []),
  ];
}
