import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildRecord, type RecordFacts } from '../../../src/cdr/build-record.js';
import { CALL_RESULTS, type TimelineEntry, type TimelineEvent } from '../../../src/cdr/types.js';

const T0 = 1_700_000_000_000;
const M0 = 5000.25;
const FACTS: RecordFacts = {
  id: '01HF7YAT00AAAAAAAAAAAAAAAA',
  type: 'CALL',
  opened: { at: T0, mono: M0 },
  node: 'n1',
  engine: 'embedded',
  serverIp: '192.0.2.1',
  serverPort: 5060,
};
const RECEIVED: TimelineEvent = {
  kind: 'received',
  method: 'INVITE',
  callId: 'a-leg@1',
  cseq: 7,
  callerUri: 'sip:1001@ims',
  callerNumber: '<sip:1001@ims>',
  callerName: '李四',
  dialledNumber: 'sip:1002@ims',
  address: '192.0.2.10',
  port: 5062,
  transport: 'udp',
  userAgent: 'phone/1',
};
const ROUTED: TimelineEvent = {
  kind: 'routed',
  calleeUri: 'sip:1002@ims',
  calleeNumber: '1002',
  direction: 'INTERNAL',
};
const attempt = (leg: string, port: number, callId = `${leg}@x`): TimelineEvent => ({
  kind: 'attempt',
  leg,
  contact: `sip:1002@192.0.2.20:${port}`,
  address: '192.0.2.20',
  port,
  transport: 'udp',
  callId,
});
type Ended = Extract<TimelineEvent, { kind: 'ended' }>;
const ended = (more: Partial<Ended> = {}): TimelineEvent => ({
  kind: 'ended',
  result: 'ANSWERED',
  by: 'CALLER',
  status: 200,
  reason: 'OK',
  releaseReason: 'normal-clearing',
  ...more,
});

/** A timeline of events, each at so many milliseconds after the start. */
const line = (...events: [number, TimelineEvent][]): TimelineEntry[] =>
  events.map(([ms, event]) => ({ at: T0 + ms, mono: M0 + ms, event }));

describe('buildRecord', () => {
  it('an answered call: times, lengths, parties, legs', () => {
    const record = buildRecord(
      FACTS,
      line(
        [0, RECEIVED],
        [1, { kind: 'authenticated', username: '1001' }],
        [2, ROUTED],
        [5, attempt('b1', 5070)],
        [5, attempt('b2', 5071, '')],
        [6, attempt('b2', 5071)],
        [200, { kind: 'ringing', leg: 'b1', status: 180 }],
        [250, { kind: 'ringing', leg: 'b2', status: 180 }],
        [3000, { kind: 'answered', leg: 'b2', userAgent: 'phone/2' }],
        [3010, { kind: 'attempt-ended', leg: 'b1', status: 487, reason: 'Request Terminated' }],
        [3050, { kind: 'acknowledged' }],
        [13_001, ended()],
      ),
    );
    assert.deepEqual(record, {
      id: FACTS.id,
      type: 'CALL',
      result: 'ANSWERED',
      startTime: T0,
      ringTime: T0 + 200,
      answerTime: T0 + 3000,
      endTime: T0 + 13_001,
      durationMs: 13_001,
      billSec: 11,
      setupMs: 3000,
      pddMs: 200,
      callId: 'a-leg@1',
      bCallIds: ['b1@x', 'b2@x'],
      callerUri: 'sip:1001@ims',
      callerNumber: '1001',
      callerName: '李四',
      callerIp: '192.0.2.10',
      callerPort: 5062,
      callerTransport: 'udp',
      callerUserAgent: 'phone/1',
      calleeUri: 'sip:1002@ims',
      calleeNumber: '1002',
      dialledNumber: '1002',
      calleeContact: 'sip:1002@192.0.2.20:5071',
      calleeIp: '192.0.2.20',
      calleePort: 5071,
      calleeTransport: 'udp',
      calleeUserAgent: 'phone/2',
      sipStatus: 200,
      sipReason: 'OK',
      q850Cause: 16,
      releaseParty: 'CALLER',
      releaseReason: 'normal-clearing',
      direction: 'INTERNAL',
      attempts: [
        {
          contact: 'sip:1002@192.0.2.20:5070',
          address: '192.0.2.20',
          port: 5070,
          transport: 'udp',
          callId: 'b1@x',
          sipStatus: 487,
          sipReason: 'Request Terminated',
        },
        {
          contact: 'sip:1002@192.0.2.20:5071',
          address: '192.0.2.20',
          port: 5071,
          transport: 'udp',
          callId: 'b2@x',
          sipStatus: 200,
          sipReason: 'OK',
        },
      ],
      media: [],
      dtmfCount: 0,
      holdMs: 0,
      reinvites: 0,
      node: 'n1',
      engine: 'embedded',
      serverIp: '192.0.2.1',
      serverPort: 5060,
      cseq: 7,
    });
  });

  it('billed seconds round up from the answer, to the millisecond', () => {
    for (const [talkMs, billSec] of [
      [0, 0],
      [1, 1],
      [999, 1],
      [1000, 1],
      [1001, 2],
      [60_000, 60],
      [3_600_001, 3601],
    ] as const) {
      const timeline = line([0, RECEIVED], [100, { kind: 'answered', leg: 'b1' }], [100 + talkMs, ended()]);
      assert.equal(buildRecord(FACTS, timeline).billSec, billSec, `${talkMs} ms`);
    }
  });

  it('a wall clock that is set during the call changes no length', () => {
    const timeline = line([0, RECEIVED], [1000, { kind: 'answered', leg: 'b1' }], [6000, ended()]).map(
      (entry, i) => ({ ...entry, at: entry.at - i * 3_600_000 }),
    );
    const record = buildRecord(FACTS, timeline);
    assert.deepEqual([record.durationMs, record.billSec, record.endTime - record.startTime], [6000, 5, 6000]);
  });

  it('an unanswered call bills nothing and keeps its ring time', () => {
    const busy = ended({
      result: 'BUSY',
      by: 'CALLEE',
      status: 486,
      reason: 'Busy Here',
      releaseReason: 'callee-busy',
    });
    const record = buildRecord(
      FACTS,
      line(
        [0, RECEIVED],
        [2, ROUTED],
        [3, attempt('b1', 1)],
        [4, attempt('b2', 2)],
        [90, { kind: 'ringing', leg: 'b2', status: 180 }],
        [95, { kind: 'attempt-ended', leg: 'b1', status: 486, reason: 'Busy Here' }],
        [4000, { kind: 'attempt-ended', leg: 'b2', status: 408, reason: 'Request Timeout' }],
        [4001, busy],
      ),
    );
    assert.equal(record.billSec, 0);
    assert.equal(record.answerTime, undefined);
    assert.equal(record.setupMs, undefined);
    assert.equal(record.pddMs, 90);
    assert.equal(record.calleePort, 1);
    assert.equal(record.q850Cause, 17);
  });

  it('RFC 3398 §8.2.6.1: the cause follows the status unless the peer sent one', () => {
    const cause = (more: Partial<Ended>) =>
      buildRecord(FACTS, line([0, RECEIVED], [5, ended({ result: 'FAILED', ...more })])).q850Cause;
    assert.equal(cause({ status: 404 }), 1);
    assert.equal(cause({ status: 480 }), 18);
    assert.equal(cause({ status: 480, q850Cause: 19 }), 19);
    assert.equal(cause({ status: 488 }), undefined);
    assert.equal(cause({ status: 487, result: 'CANCELLED' }), 16);
  });

  it('without an end: ABNORMAL, as long as it was known to live', () => {
    const timeline = line([0, RECEIVED], [1000, { kind: 'answered', leg: 'b1' }]);
    const lastKnown = { at: T0 + 61_000, mono: M0 + 61_000 };
    const record = buildRecord(FACTS, timeline, { reason: 'server-crashed', lastKnown });
    assert.equal(record.result, 'ABNORMAL');
    assert.equal(record.answerTime, T0 + 1000);
    assert.equal(record.billSec, 60);
    assert.deepEqual([record.releaseParty, record.releaseReason], ['SERVER', 'server-crashed']);
    assert.equal(buildRecord(FACTS, timeline).durationMs, 1000);
    const empty = buildRecord(FACTS, []);
    assert.deepEqual([empty.startTime, empty.durationMs, empty.sipStatus], [T0, 0, 0]);
  });

  it('hold counts once while both sides hold, and up to the end', () => {
    const held = (by: 'CALLER' | 'CALLEE'): TimelineEvent => ({ kind: 'held', by });
    const resumed = (by: 'CALLER' | 'CALLEE'): TimelineEvent => ({ kind: 'resumed', by });
    const record = buildRecord(
      FACTS,
      line(
        [0, RECEIVED],
        [100, { kind: 'answered', leg: 'b1' }],
        [1000, held('CALLER')],
        [1500, held('CALLEE')],
        [1600, held('CALLEE')],
        [2000, resumed('CALLER')],
        [2500, resumed('CALLER')],
        [3000, resumed('CALLEE')],
        [4000, held('CALLER')],
        [4000, { kind: 'reinvite', by: 'CALLER' }],
        [4100, { kind: 'reinvite', by: 'CALLEE' }],
        [4200, { kind: 'dtmf', by: 'CALLER', digits: 3 }],
        [4300, { kind: 'dtmf', by: 'CALLEE', digits: 1 }],
        [5000, ended()],
      ),
    );
    assert.deepEqual([record.holdMs, record.reinvites, record.dtmfCount], [3000, 2, 4]);
  });

  it('the last media figures and noted facts stand', () => {
    const stream = (packetsFromA: number) => ({ index: 0, kind: 'audio', relay: 'r', packetsFromA });
    const record = buildRecord(
      FACTS,
      line(
        [0, RECEIVED],
        [1, { kind: 'media', streams: [stream(1)] }],
        [2, { kind: 'media', streams: [stream(2)] }],
        [3, { kind: 'noted', facts: { expires: 0, extra: { a: 'b' } } }],
        [4, ended()],
      ),
    );
    assert.deepEqual(record.media, [stream(2)]);
    assert.deepEqual([record.expires, record.extra], [0, { a: 'b' }]);
  });

  it('property: any timeline gives one sound record', () => {
    const random = generator(20_261_120);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    const sides = ['CALLER', 'CALLEE'] as const;
    const makers: (() => TimelineEvent)[] = [
      () => RECEIVED,
      () => ROUTED,
      () => attempt(pick(['b1', 'b2', 'b3']), Math.floor(random() * 65_536)),
      () => ({ kind: 'ringing', leg: pick(['b1', 'b2']), status: 180 }),
      () => ({ kind: 'attempt-ended', leg: pick(['b1', 'b2', 'b9']), status: 480, reason: 'x' }),
      () => ({ kind: 'answered', leg: pick(['b1', 'b2', 'b9']) }),
      () => ({ kind: 'held', by: pick(sides) }),
      () => ({ kind: 'resumed', by: pick(sides) }),
      () => ({ kind: 'dtmf', by: pick(sides), digits: 1 }),
      () => ({ kind: 'message', leg: 'a', sent: false, summary: 'INVITE' }),
      () => ended({ result: pick(CALL_RESULTS), status: pick([200, 404, 487, 503, 600]) }),
    ];
    for (let round = 0; round < 3000; round++) {
      let ms = 0;
      const events = Array.from({ length: Math.floor(random() * 14) }, (): [number, TimelineEvent] => {
        ms += Math.floor(random() * 5000) * pick([0, 1]);
        return [ms, pick(makers)()];
      });
      const timeline = line(...events);
      const record = buildRecord(FACTS, timeline);
      const seen = JSON.stringify({ timeline, record });
      assert.deepEqual(buildRecord(FACTS, timeline), record);
      assert.deepEqual(JSON.parse(JSON.stringify(record)), record, seen);
      assert.equal(record.endTime - record.startTime, record.durationMs, seen);
      assert.ok(record.durationMs >= 0 && record.holdMs >= 0, seen);
      assert.equal(record.answerTime !== undefined, record.setupMs !== undefined, seen);
      if (record.answerTime === undefined) assert.equal(record.billSec, 0, seen);
      else assert.ok(Math.abs(record.billSec * 1000 - (record.endTime - record.answerTime)) < 1000, seen);
      if (!timeline.some(({ event }) => event.kind === 'ended'))
        assert.equal(record.result, 'ABNORMAL', seen);
      assert.ok(!/[<>]/.test(record.callerNumber + record.dialledNumber + (record.calleeNumber ?? '')), seen);
    }
  });
});

/** Numbers in 0..1 that are the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
