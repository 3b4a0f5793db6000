import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import { missing, runToEnd } from '../support/peers.js';
import type { SipPeer } from '../support/sip-peer.js';

describe('trace of a call through the whole server', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer();
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  test('both legs are there as they were on the wire, without credentials, after the call is over too', async () => {
    const mml = (command: string): Promise<string> => calls.server.mml(command);
    assert.match(await mml('STR TRACE: USER=1001'), /Running += +Yes/i);
    const call = await connect(a, b);
    const callId = call.invite.callId ?? '';
    const ladderOf = async (): Promise<string[]> =>
      [...(await mml(`DSP TRACE: CALLID="${callId}"`)).matchAll(/^ *\d+\.\d{3} (\|.*\|)$/gm)].map((row) =>
        (row[1] ?? '').replace(/ {2,}|-{2,}/g, ''),
      );
    const during = await ladderOf();
    assert.ok(during.includes('| INVITE SDP >||'), during.join('\n'));
    assert.ok(
      during.some((row) => /^\|\|<.*200 .*INVITE/.test(row)),
      during.join('\n'),
    );
    await hangUp(a, b, call);
    assert.match(await mml('STP TRACE'), /Running += +No/i);
    await calls.recordsOf(callId);
    const over = await ladderOf();
    assert.ok(
      over.some((row) => /^\|\|.*BYE.*>\|$/.test(row)),
      over.join('\n'),
    );
    const full = await mml(`DSP TRACE: CALLID="${callId}", DETAIL=YES`);
    assert.match(full, /Proxy-Authorization: Digest \*\*\*/i);
    assert.doesNotMatch(full, /response="/);
    const described = await mml(`DSP TRACE: CALLID="${callId}", SDP=YES`);
    assert.match(described, /^ +0\.000 = \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/m);
    assert.match(described, /-> [\d.]+:\d+ {2}200 OK \(INVITE\) SDP\n {2}v=0\n/);
    assert.doesNotMatch(described, /Call-ID:/i);
  });

  test('EXP TRACE writes a file in which tshark finds the whole call', {
    skip: missing('tshark'),
  }, async () => {
    const mml = (command: string): Promise<string> => calls.server.mml(command);
    await mml('STR TRACE');
    const call = await connect(a, b);
    await hangUp(a, b, call);
    await mml('STP TRACE');
    const written = await mml(`EXP TRACE: CALLID="${call.invite.callId}"`);
    const path = /File += {2}(\S+\.pcap)\n/.exec(written)?.[1] ?? '';
    const { output } = runToEnd(
      'tshark',
      ['-n', '-r', path, '-T', 'fields', '-e', 'sip.Method', '-e', 'sip.Status-Code', '-e', 'sip.Call-ID'],
      30_000,
    );
    const rows = output.split('\n').filter((row) => row.includes('\t'));
    const heads = rows.map((row) => row.split('\t').slice(0, 2).join(''));
    for (const wanted of ['INVITE', '407', '180', '200', 'ACK', 'BYE'])
      assert.ok(heads.includes(wanted), `${wanted} in ${heads.join(' ')}`);
    assert.equal(heads.filter((head) => head === 'BYE').length, 2, 'one on each leg');
    assert.equal(new Set(rows.map((row) => row.split('\t')[2])).size, 2, 'a Call-ID for each leg');
    assert.match(written, new RegExp(`Rows += {2}${rows.length}\\n`));
    const asText = await mml(`EXP TRACE: CALLID="${call.invite.callId}", FORMAT=TEXT, FILE=call.txt`);
    assert.match(asText, /call\.txt/);
    const text = await readFile(/File += {2}(\S+)/.exec(asText)![1]!, 'utf8');
    assert.match(text, /-+ INVITE SDP -+>\|[\s\S]* {2}BYE sip:/);
  });
});
