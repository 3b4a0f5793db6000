import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ladder } from '../../../src/trace/ladder.js';

const message = (mono: number, leg: string, sent: boolean, summary: string) => ({
  mono,
  event: { kind: 'message', leg, sent, summary } as const,
});

test('arrows run between the right lifelines, with seconds since the first message', () => {
  const text = ladder(
    [
      message(1000, 'a', false, 'INVITE [SDP]'),
      { mono: 1001, event: { kind: 'authenticated' } },
      message(1012.4, 'b1', true, 'INVITE [SDP]'),
      message(3000, 'b1', false, '180 Ringing (INVITE)'),
      message(3001, 'a', true, '180 Ringing (INVITE)'),
    ],
    { width: 80, callerName: '1001', calleeName: '1002' },
  );
  const lines = text.split('\n');
  assert.match(lines[0] ?? '', /1001\s+server\s+1002/);
  assert.match(lines[2] ?? '', /^ {3}0\.000 \|-+ INVITE \[SDP\] -+>\|\s+\|$/);
  assert.match(lines[3] ?? '', /^ {3}0\.012 \|\s+\|-+ INVITE \[SDP\] -+>\|$/);
  assert.match(lines[4] ?? '', /^ {3}2\.000 \|\s+\|<-+ 180 Ringing \(INVITE\) -+\|$/);
  assert.match(lines[5] ?? '', /^ {3}2\.001 \|<-+ 180 Ringing \(INVITE\) -+\|\s+\|$/);
  assert.equal(new Set(lines.slice(1, -1).map((line) => line.length)).size, 1);
});

test('with several phones each arrow says whose it is', () => {
  const text = ladder([
    message(0, 'a', false, 'INVITE'),
    message(1, 'b1', true, 'INVITE'),
    message(2, 'b2', true, 'INVITE'),
  ]);
  assert.match(text, /b1: INVITE[\s\S]*b2: INVITE/);
});

test('long and strange summaries stay within the width, a timeline without messages gives nothing', () => {
  const text = ladder([message(0, 'a', false, `${'x'.repeat(300)}\u001b[2J\r\n`)], { width: 10 });
  for (const line of text.split('\n')) assert.ok(line.length <= 60, line);
  assert.doesNotMatch(text, /\u001b|\r/);
  assert.equal(ladder([{ mono: 0, event: { kind: 'answered' } }]), '');
});
