import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clearLines, findLines } from '../../../src/platform/log-lines.js';
import { LogRing } from '../../../src/platform/log-ring.js';
import { LoggerFactory } from '../../../src/platform/logger.js';

describe('the log in memory', () => {
  it('keeps the newest lines, bounded by count and by size', () => {
    const byCount = new LogRing(3, 1000);
    for (let i = 0; i < 1000; i++) byCount.push(`line ${i}`);
    assert.deepEqual([...byCount.newestFirst()], ['line 999', 'line 998', 'line 997']);
    const bySize = new LogRing(100, 10);
    for (const line of ['aaaa', 'bbbb', 'cccc']) bySize.push(line);
    assert.deepEqual([...bySize.newestFirst()], ['cccc', 'bbbb']);
    bySize.push('x'.repeat(20_000));
    assert.ok(bySize.size <= 1);
  });

  it('is fed by the loggers, masked as their lines are, and found by keyword, call, level and module', () => {
    const written: string[] = [];
    const logs = new LoggerFactory({
      level: 'info',
      destination: { write: (line) => void written.push(line) },
    });
    logs.for('call').info({ callId: 'a@b', password: 'hush' }, 'call begins');
    logs.for('call').debug('not at this level');
    logs.for('registrar').warn({ callId: 'c@d' }, 'refused');
    assert.equal(written.length, 2);
    const all = findLines(logs.ring, { limit: 10 });
    assert.deepEqual(
      all.map(({ level, module, message }) => `${level} ${module} ${message}`),
      ['info call call begins', 'warn registrar refused'],
    );
    assert.equal(all[0]?.facts, '{"callId":"a@b","password":"***"}');
    const messages = (query: object) =>
      findLines(logs.ring, { limit: 10, ...query }).map((one) => one.message);
    assert.deepEqual(messages({ keyword: 'BEGINS' }), ['call begins']);
    assert.deepEqual(messages({ anyOf: ['x', 'c@d'] }), ['refused']);
    assert.deepEqual(messages({ level: 'warn' }), ['refused']);
    assert.deepEqual(messages({ module: 'call' }), ['call begins']);
    assert.deepEqual(messages({ limit: 1 }), ['refused']);
    assert.equal(clearLines(logs.ring, all[0]!.at), 0);
    assert.equal(clearLines(logs.ring, Number.POSITIVE_INFINITY), 2);
    assert.deepEqual(messages({}), []);
  });
});
