import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { freeTcpPort, freeUdpPort } from '../support/free-port.js';
import { residentMib } from '../support/memory.js';
import { missing } from '../support/peers.js';
import { callRecords } from '../support/records.js';
import { startServer, type TestServer } from '../support/server.js';
import { sippThrough, startCallee, subscriberLine } from '../support/sipp.js';
import { waitFor } from '../support/wait-for.js';

const CALLS = 200;
const CALLS_PER_SEC = 40;
/** Of three: the first call must still be up when the last is answered. */
const PAUSE_MS = 1900;
const CALLERS = ['2001', '2002', '2003', '2004', '2005', '2006', '2007', '2008', '2009', '2010'];
const CALLEE = '3001';
const GROWTH_MIB = 120;

const password = (username: string): string => `secret-${username}`;

describe('load', { skip: missing('sipp') }, () => {
  let server: TestServer;
  before(async () => {
    const users = [...CALLERS, CALLEE].map((username) => [username, password(username)]);
    server = await startServer({ users: Object.fromEntries(users), env: { LOG_LEVEL: 'warn' } });
  });
  after(() => server?.close());

  let done = 0;
  for (const transport of ['udp', 'tcp'] as const)
    test(`${CALLS} calls up at once over ${transport}: 407, hold, resume, BYE; ${CALLS} records, memory bounded`, async (t) => {
      const port = await (transport === 'udp' ? freeUdpPort() : freeTcpPort());
      const line = (username: string): string => subscriberLine(username, password(username));
      const register = { scenario: 'uac-register-and-stay-expect-200', transport };
      await sippThrough(server, { ...register, lines: CALLERS.map(line), rate: 50 });
      await sippThrough(server, { ...register, lines: [line(CALLEE)], localPort: port });
      const callee = startCallee('uas-answer-two-reinvites', port, transport);
      t.after(() => callee.stop());
      const before = residentMib(server.facts.pid);
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, residentMib(server.facts.pid));
      }, 200);
      try {
        await sippThrough(server, {
          scenario: 'uac-call-hold-resume-expect-200',
          transport,
          lines: CALLERS.map(line),
          calls: CALLS,
          rate: CALLS_PER_SEC,
          args: ['-s', CALLEE, '-d', String(PAUSE_MS)],
        });
      } finally {
        clearInterval(watch);
      }
      done += CALLS;
      const records = await callRecords(server, done);
      for (const { result, reinvites, releaseParty, callerNumber, calleeNumber } of records.slice(0, CALLS))
        assert.deepEqual(
          { result, reinvites, releaseParty, calleeNumber },
          { result: 'ANSWERED', reinvites: 2, releaseParty: 'CALLER', calleeNumber: CALLEE },
          callerNumber,
        );
      // All were up together.
      const [answers, ends] = [records.map((r) => r.answerTime ?? 0), records.map((r) => r.endTime ?? 0)];
      assert.ok(Math.max(...answers.slice(0, CALLS)) < Math.min(...ends.slice(0, CALLS)), 'in parallel');
      assert.ok(most - before < GROWTH_MIB, `grew from ${before} to ${most} MiB`);
      await waitFor('no call to be left', async () =>
        /No matching|= 0\)|no call/i.test(await server.mml('DSP CALL')),
      );
    });
});
