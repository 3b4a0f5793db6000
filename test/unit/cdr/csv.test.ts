import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCsv } from '../../../src/accounts/csv-rows.js';
import { buildRecord } from '../../../src/cdr/build-record.js';
import { CLASSIC_COLUMNS, classicHeader, classicLine, classicState } from '../../../src/cdr/classic-csv.js';
import { csvField, csvLine } from '../../../src/cdr/csv.js';
import { FULL_COLUMNS, fullHeader, fullLine, jsonLine } from '../../../src/cdr/full-csv.js';
import type { CallRecord, RecordType } from '../../../src/cdr/types.js';

const OLD_HEADER =
  'record_id,record_type,call_state,date,start_time,invite_time,ringing_time,answer_time,bye_time,end_time,duration,' +
  'setup_time,call_id,caller_uri,caller_number,caller_ip,caller_port,user_agent,callee_uri,callee_number,callee_ip,' +
  'callee_port,contact,status_code,status_text,termination_reason,call_type,codec,expires,message_body,server_ip,' +
  'server_port,cseq,extra_info\r\n';

const start = Date.UTC(2026, 10, 20, 16, 30, 5);
const base = buildRecord(
  {
    id: 'ID1',
    type: 'CALL',
    opened: { at: start, mono: 0 },
    node: 'n1',
    engine: 'embedded',
    serverIp: '192.0.2.1',
    serverPort: 5060,
  },
  [],
);
const RECORD: CallRecord = {
  ...base,
  result: 'ANSWERED',
  ringTime: start + 1000,
  answerTime: start + 3500,
  endTime: start + 10_000,
  billSec: 7,
  setupMs: 3500,
  callId: 'abc@1',
  callerUri: 'sip:1001@ims',
  callerNumber: '1001',
  callerUserAgent: '=HYPERLINK("http://evil","x")',
  calleeNumber: '+8613800138000',
  dialledNumber: '1002',
  sipStatus: 200,
  sipReason: 'OK, "fine"',
  messageBody: 'two\r\nlines',
  media: [{ index: 0, kind: 'audio', relay: 'r', codec: 'PCMU/8000' }],
};

describe('CSV of records', () => {
  it('the classic layout has the 34 columns of the old server in their order', () => {
    assert.equal(CLASSIC_COLUMNS.length, 34);
    assert.equal(classicHeader(), OLD_HEADER);
  });

  it('RFC 4180 §2: a classic line reads back under its columns, in the operator’s zone', () => {
    const [cells] = parseCsv(classicLine(RECORD, 'Asia/Shanghai'));
    const row = Object.fromEntries(CLASSIC_COLUMNS.map((column, i) => [column, cells![i]]));
    assert.equal(cells!.length, 34);
    assert.equal(row['record_id'], 'ID1');
    assert.equal(row['call_state'], 'ENDED');
    assert.equal(row['date'], '2026-11-21');
    assert.equal(row['start_time'], '2026-11-21 00:30:05');
    assert.equal(row['ringing_time'], '2026-11-21 00:30:06');
    assert.equal(row['bye_time'], '2026-11-21 00:30:15');
    assert.equal(row['duration'], '7');
    assert.equal(row['setup_time'], '3.500');
    assert.equal(row['callee_number'], '+8613800138000');
    assert.equal(row['user_agent'], `'=HYPERLINK("http://evil","x")`);
    assert.equal(row['status_text'], 'OK, "fine"');
    assert.equal(row['codec'], 'PCMU/8000');
    assert.equal(row['message_body'], 'two lines');
    assert.equal(row['contact'], '');
  });

  it('a record is one line, whatever its values hold', () => {
    const nasty = 'a\r\nb\nc\rd\u2028e\u0085f\u0000g';
    const record = { ...RECORD, callerNumber: nasty, callerUri: nasty, sipReason: nasty, callId: nasty };
    for (const text of [classicLine(record, 'UTC'), fullLine(record)]) {
      assert.equal(text.split(/[\r\n\u2028\u0085]+/).length, 2);
      assert.ok(text.endsWith('\r\n'));
    }
    assert.equal(jsonLine(record).trimEnd().split('\n').length, 1);
  });

  it('formulas are disarmed, numbers stay numbers', () => {
    for (const text of ['=1+1', '+cmd|x', '-2+3', '@SUM(A1)', '\t=1', '\r=1'])
      assert.ok(csvField(text).replace(/^"/, '').startsWith("'"), text);
    for (const text of ['+8613800138000', '-5', '12.5', '1001', '*100#', 'sip:a@b'])
      assert.equal(csvField(text), text);
    assert.equal(csvLine(['a,b', 'c"d', undefined, 5]), '"a,b","c""d",,5\r\n');
  });

  it('states of the old server', () => {
    const state = (type: RecordType, more: Partial<CallRecord>) => classicState({ ...base, type, ...more });
    assert.equal(state('CALL', { result: 'ANSWERED', answerTime: 1 }), 'ENDED');
    assert.equal(state('CALL', { result: 'ABNORMAL', answerTime: 1 }), 'ENDED');
    assert.equal(state('CALL', { result: 'CANCELLED' }), 'CANCELLED');
    for (const result of ['BUSY', 'NO_ANSWER', 'REJECTED', 'FAILED', 'ABNORMAL'] as const)
      assert.equal(state('CALL', { result }), 'FAILED');
    assert.equal(state('REGISTER', { result: 'ANSWERED', expires: 60 }), 'SUCCESS');
    assert.equal(state('REGISTER', { result: 'ANSWERED', expires: 0 }), 'UNREGISTERED');
    assert.equal(state('REGISTER', { result: 'REJECTED' }), 'FAILED');
    assert.equal(state('MESSAGE', { result: 'ANSWERED' }), 'SUCCESS');
  });

  it('the full layout has every field of a record', () => {
    const fields = new Set<string>(FULL_COLUMNS);
    for (const key of Object.keys(RECORD)) assert.ok(fields.has(key), key);
    const rows = parseCsv(fullHeader() + fullLine(RECORD));
    assert.equal(rows[1]![FULL_COLUMNS.indexOf('startTime')], '2026-11-20T16:30:05.000Z');
    assert.deepEqual(JSON.parse(rows[1]![FULL_COLUMNS.indexOf('media')]!), RECORD.media);
    assert.deepEqual(JSON.parse(jsonLine(RECORD)), JSON.parse(JSON.stringify(RECORD)));
  });
});
