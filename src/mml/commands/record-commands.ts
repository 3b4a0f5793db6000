import { CALL_RESULTS, type CallRecord, RECORD_TYPES } from '../../cdr/types.js';
import type { RecordQuery } from '../../store/types.js';
import { MmlError } from '../errors.js';
import { DEFAULT_ROWS } from '../limits.js';
import { type Command, defineCommand, type ReportSpec, type Row, type Section } from '../registry/command.js';
import { dateRange } from '../registry/date-range.js';
import { oneOf, string, username } from '../registry/param-types.js';
import { text } from '../text.js';
import { mediaReport, mediaRows } from './media-report.js';
import { LIMIT, moreNote } from './paging.js';
import { countRecords } from './record-statistics.js';

const recordReport: ReportSpec = {
  name: 'records',
  title: text('Call record', '话单'),
  layout: 'table',
  columns: [
    { key: 'id', title: text('Record', '话单号') },
    { key: 'type', title: text('Type', '类型') },
    { key: 'startTime', title: text('Started', '开始时间'), format: 'time' },
    { key: 'callerNumber', title: text('Caller', '主叫') },
    { key: 'dialledNumber', title: text('Dialled', '所拨号码') },
    { key: 'calleeNumber', title: text('Callee', '被叫') },
    { key: 'result', title: text('Result', '结果') },
    { key: 'sipStatus', title: text('Status', '状态码') },
    { key: 'billSec', title: text('Billed', '计费时长'), format: 'seconds' },
    { key: 'releaseParty', title: text('Ended by', '释放方') },
    { key: 'releaseReason', title: text('Reason', '释放原因') },
  ],
};

const detailReport: ReportSpec = {
  name: 'record',
  title: text('Call record', '话单'),
  columns: [
    { key: 'id', title: text('Record', '话单号') },
    { key: 'type', title: text('Type', '类型') },
    { key: 'direction', title: text('Direction', '方向') },
    { key: 'result', title: text('Result', '结果') },
    { key: 'startTime', title: text('Started', '开始时间'), format: 'time' },
    { key: 'ringTime', title: text('Ringing', '振铃时间'), format: 'time' },
    { key: 'answerTime', title: text('Answered', '应答时间'), format: 'time' },
    { key: 'endTime', title: text('Ended', '结束时间'), format: 'time' },
    { key: 'durationMs', title: text('Duration', '总时长'), format: 'milliseconds' },
    { key: 'billSec', title: text('Billed', '计费时长'), format: 'seconds' },
    { key: 'setupMs', title: text('Setup', '接续时长'), format: 'milliseconds' },
    { key: 'pddMs', title: text('Post-dial delay', '拨号后时延'), format: 'milliseconds' },
    { key: 'callerNumber', title: text('Caller', '主叫') },
    { key: 'callerName', title: text('Caller name', '主叫名称') },
    { key: 'callerUri', title: text('Caller URI', '主叫 URI') },
    { key: 'callerSource', title: text('Caller at', '主叫地址') },
    { key: 'callerUserAgent', title: text('Caller agent', '主叫终端') },
    { key: 'dialledNumber', title: text('Dialled', '所拨号码') },
    { key: 'calleeNumber', title: text('Callee', '被叫') },
    { key: 'group', title: text('Hunt group', '寻线组') },
    { key: 'originatedBy', title: text('Begun for', '代为发起') },
    { key: 'pickedUpBy', title: text('Picked up by', '代答方') },
    { key: 'announcement', title: text('Announcement', '提示音') },
    { key: 'conferenceId', title: text('Conference room', '会议室') },
    { key: 'transfer', title: text('Transferred', '转接') },
    { key: 'diversions', title: text('Forwarded', '前转') },
    { key: 'calleeUri', title: text('Callee URI', '被叫 URI') },
    { key: 'calleeSource', title: text('Callee at', '被叫地址') },
    { key: 'calleeUserAgent', title: text('Callee agent', '被叫终端') },
    { key: 'status', title: text('SIP status', 'SIP 状态') },
    { key: 'q850Cause', title: text('Q.850 cause', 'Q.850 原因') },
    { key: 'releaseParty', title: text('Ended by', '释放方') },
    { key: 'releaseReason', title: text('Reason', '释放原因') },
    { key: 'reinvites', title: text('Re-INVITEs', '重协商次数') },
    { key: 'holdMs', title: text('On hold', '保持时长'), format: 'milliseconds' },
    { key: 'dtmfCount', title: text('DTMF digits', 'DTMF 位数') },
    { key: 'callId', title: text('Call-ID', 'Call-ID') },
    { key: 'bCallId', title: text('Call-ID of B legs', 'B 侧 Call-ID') },
    { key: 'node', title: text('Node', '节点') },
  ],
};

const attemptReport: ReportSpec = {
  name: 'attempts',
  title: text('Phones tried', '呼叫尝试'),
  layout: 'table',
  columns: [
    { key: 'contact', title: text('Contact', '注册地址') },
    { key: 'source', title: text('Address', '地址') },
    { key: 'sipStatus', title: text('Status', '状态码') },
    { key: 'sipReason', title: text('Reason', '原因') },
  ],
};

const statisticsReport: ReportSpec = {
  name: 'recordStatistics',
  title: text('Record statistics', '话单统计'),
  columns: [
    { key: 'calls', title: text('Calls', '呼叫次数') },
    ...CALL_RESULTS.map((result) => ({ key: result, title: text(result, result) })),
    { key: 'answerSeizureRatio', title: text('Answer-seizure ratio', '接通率'), format: 'percent' as const },
    { key: 'averageBillSec', title: text('Average call', '平均通话时长'), format: 'seconds' as const },
    { key: 'totalBillSec', title: text('Total answered', '总通话时长'), format: 'seconds' as const },
    {
      key: 'averagePddMs',
      title: text('Average post-dial delay', '平均拨号后时延'),
      format: 'milliseconds' as const,
    },
  ],
};

/** Which records a command is about. */
export const filterParams = {
  DATE: {
    type: dateRange,
    purpose: text('Day or range', '日期或范围'),
    keyword: true,
    example: '2026-11-01..2026-11-20',
  },
  NUMBER: { type: username, purpose: text('Caller or callee', '主叫或被叫'), example: '1001' },
  CALLER: { type: username, purpose: text('Caller', '主叫'), example: '1001' },
  CALLEE: { type: username, purpose: text('Callee', '被叫'), example: '1002' },
  TYPE: { type: oneOf(RECORD_TYPES), purpose: text('Kind of record', '话单类型') },
  RESULT: { type: oneOf(CALL_RESULTS), purpose: text('How it ended', '结果') },
} as const;

interface Filter {
  readonly DATE?: { readonly from: number; readonly to: number } | undefined;
  readonly NUMBER?: string | undefined;
  readonly CALLER?: string | undefined;
  readonly CALLEE?: string | undefined;
  readonly TYPE?: string | undefined;
  readonly RESULT?: string | undefined;
}

export function toQuery({ DATE, NUMBER, CALLER, CALLEE, TYPE, RESULT }: Filter): RecordQuery {
  return {
    ...DATE,
    ...(NUMBER !== undefined && { number: NUMBER }),
    ...(CALLER !== undefined && { caller: CALLER }),
    ...(CALLEE !== undefined && { callee: CALLEE }),
    ...(TYPE !== undefined && { type: TYPE }),
    ...(RESULT !== undefined && { result: RESULT }),
  };
}

const listRecords = defineCommand({
  verb: 'LST',
  object: 'CDR',
  aliases: ['DSP CDR'],
  purpose: text('List call records, newest first; one in full with ID', '查询话单'),
  params: {
    ID: {
      type: string({ max: 64 }),
      purpose: text('One record in full', '查看一条话单详情'),
      example: '01JD0X8Z5V3Q2R1T4Y6W7S9ABC',
    },
    ...filterParams,
    LIMIT: { ...LIMIT, default: String(DEFAULT_ROWS) },
    ORDER: { type: oneOf(['DESC', 'ASC']), purpose: text('Newest or oldest first', '排序'), default: 'DESC' },
    CURSOR: { type: string(), purpose: text('Go on where the page before ended', '从上一页结束处继续') },
  },
  reports: [recordReport, detailReport, attemptReport, mediaReport],
  examples: [
    'LST CDR',
    'DSP CDR TODAY',
    'LST CDR: DATE=2026-11-20, NUMBER=1001, RESULT=FAILED',
    'DSP CDR: DATE=YESTERDAY, TYPE=CALL, LIMIT=20',
  ],
  async handler({ services }, values) {
    if (values.ID !== undefined)
      return { sections: recordSections(await services.records.get(values.ID), values.ID) };
    const { records, next } = await services.records.query({
      ...toQuery(values),
      limit: values.LIMIT,
      order: values.ORDER === 'ASC' ? 'asc' : 'desc',
      ...(values.CURSOR !== undefined && { cursor: values.CURSOR }),
    });
    const note = next === undefined ? {} : { note: moreNote('CURSOR', `"${next}"`) };
    return {
      sections: [{ report: recordReport, rows: records.map((record) => recordRow(record)), ...note }],
    };
  },
});

function recordRow(record: CallRecord): Row {
  const { id, type, startTime, callerNumber, dialledNumber, calleeNumber, result } = record;
  const { sipStatus, billSec, releaseParty, releaseReason } = record;
  return {
    id,
    type,
    startTime,
    callerNumber,
    dialledNumber,
    calleeNumber,
    result,
    sipStatus,
    billSec,
    releaseParty,
    releaseReason,
  };
}

function recordSections(record: CallRecord | undefined, id: string): Section[] {
  if (!record) {
    const hint = text('See LST CDR', '请查看 LST CDR');
    throw new MmlError(4001, { what: text('record', '话单'), name: id, hint });
  }
  const source = (ip?: string, port?: number, transport?: string) =>
    ip === undefined ? undefined : `${ip}:${port ?? '?'}/${transport ?? '?'}`;
  const { attempts, media, bCallIds, diversions = [], transferTime, extra: _extra, ...plain } = record;
  const { transferredBy, transferredTo } = record;
  const row: Row = {
    ...plain,
    callerSource: source(record.callerIp, record.callerPort, record.callerTransport),
    calleeSource: source(record.calleeIp, record.calleePort, record.calleeTransport),
    status: `${record.sipStatus} ${record.sipReason}`,
    bCallId: bCallIds.join(' '),
    ...(transferTime !== undefined && { transfer: `by ${transferredBy} to ${transferredTo}` }),
    diversions: diversions.map(({ by, to, reason }) => `${by} to ${to} (${reason})`).join(', '),
  };
  const tried = attempts.map((attempt) => ({
    contact: attempt.contact,
    source: source(attempt.address, attempt.port, attempt.transport),
    sipStatus: attempt.sipStatus,
    sipReason: attempt.sipReason,
  }));
  return [
    { report: detailReport, rows: [row] },
    ...(tried.length > 0 ? [{ report: attemptReport, rows: tried }] : []),
    ...(media.length > 0 ? [{ report: mediaReport, rows: mediaRows(media) }] : []),
  ];
}

const showStatistics = defineCommand({
  verb: 'DSP',
  object: 'CDR',
  variant: 'STAT',
  aliases: ['LST CDR STAT'],
  purpose: text('Count call records by result, with ratio and averages', '查询话单统计'),
  params: {
    ...filterParams,
    DATE: { ...filterParams.DATE, default: 'TODAY' },
    TYPE: { ...filterParams.TYPE, default: 'CALL' },
  },
  reports: [statisticsReport],
  examples: ['DSP CDR STAT', 'DSP CDR STAT: DATE=2026-11, NUMBER=1001'],
  async handler({ services, signal }, values) {
    const { row, note } = await countRecords(services.records, toQuery(values), signal);
    return { sections: [{ report: statisticsReport, rows: [row], ...(note && { note }) }] };
  },
});

/** Call records: LST CDR, DSP CDR STAT. */
export const recordCommands: readonly Command[] = [listRecords, showStatistics];
