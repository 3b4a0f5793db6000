import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { callRecord, mmlTestServices } from '../../support/mml-services.js';

const START = new Date(2026, 10, 20, 12, 0, 0).getTime();

describe('console commands on calls, registrations and records', { timeout: 60_000 }, () => {
  let server: TestConsole;
  let client: WireClient;
  const services = mmlTestServices();
  before(async () => {
    server = await startTestConsole(services);
    client = await WireClient.open(server.port);
    await client.login();
    services.bindingMap.set('1001', [
      {
        aor: '1001@ims',
        contact: 'sip:1001@192.0.2.7:5062',
        q: 1,
        callId: 'r1',
        cseq: 1,
        expiresAt: Date.now() + 3_600_000,
        registeredAt: START,
        protocol: 'udp',
        address: '192.0.2.7',
        port: 5062,
        userAgent: 'Phone\r\n---    END',
      },
    ]);
    services.callMap.set('CALL1', {
      id: 'CALL1',
      state: 'connected',
      callId: 'abc@pc33',
      caller: '1001',
      callee: '1002',
      dialled: '1002',
      callerAddress: '192.0.2.7:5062',
      startTime: Date.now() - 9000,
      answerTime: Date.now() - 5000,
      codec: 'PCMU/8000',
      timeline: [
        { at: START, mono: 0, event: { kind: 'message', leg: 'a', sent: false, summary: 'INVITE' } },
        { at: START + 5, mono: 5, event: { kind: 'authenticated', username: '1001' } },
        { at: START + 10, mono: 10, event: { kind: 'message', leg: 'b1', sent: true, summary: 'INVITE' } },
        {
          at: START + 9,
          mono: 9,
          event: {
            kind: 'attempt',
            leg: 'b1',
            contact: 'sip:1002@192.0.2.8',
            address: '192.0.2.8',
            port: 5064,
            transport: 'udp',
            callId: 'leg-b',
          },
        },
        { at: START + 310, mono: 310, event: { kind: 'ringing', leg: 'b1', status: 180 } },
      ],
    });
    const statuses = ['ANSWERED', 'ANSWERED', 'BUSY', 'NO_ANSWER'] as const;
    for (const [i, result] of statuses.entries()) {
      const answered = result === 'ANSWERED';
      services.recordList.push(
        callRecord({
          id: `R${i}`,
          result,
          startTime: START + i * 60_000,
          billSec: answered ? 10 * (i + 1) : 0,
        }),
      );
    }
    services.recordList.push(callRecord({ id: 'OLD', startTime: START - 86_400_000, callerNumber: '1009' }));
  });
  after(async () => {
    client.close();
    await server.close();
  });

  it('DSP REG shows bindings, by user and by URI; what phones say of themselves stays on its line', async () => {
    for (const command of [
      'DSP REG',
      'DSP REG ALL',
      'DSP REG: USERNAME=1001',
      'DSP REG SPECIFIC URI=sip:1001@ims',
    ]) {
      const report = await client.run(command);
      assert.match(
        report,
        /Contact += {2}sip:1001@192\.0\.2\.7:5062\r\n {2}Source += {2}192\.0\.2\.7:5062\r\n/,
      );
      assert.match(report, /User agent += {2}Phone··--- {4}END\r\n/);
      assert.match(await client.until('---    END\r\n'), /\(Number of results = 1\)/);
    }
    assert.match(await client.run('DSP REG STAT'), /Users registered += {2}1\r\n/);
    assert.match(await client.run('DSP USER: USERNAME=1001'), /RETCODE = 4001/);
  });

  it('DSP CALL shows a call with its timeline and ladder', async () => {
    assert.match(await client.run('DSP CALL ACTIVE'), /Call += {2}CALL1\r\n {2}State += {2}connected\r\n/);
    assert.match(await client.run('DSP CALL: NUMBER=1009'), /\(Number of results = 0\)/);
    for (const command of ['DSP CALL: ID=CALL1', 'DSP CALL CALLID=abc@pc33']) {
      const report = await client.run(command);
      assert.match(report, /Answered for += {2}[56] s/);
      assert.match(report, /Timeline\r\n-{8}\r\n {2}12:00:00 +\+0\.005 s {2}authenticated as 1001\r\n/);
      assert.match(report, /\+0\.310 s {2}b1: ringing \(180\)/);
      assert.match(report, /Messages\r\n[\s\S]*-+ INVITE -+>/);
    }
    assert.match(await client.run('DSP CALL: ID=NONE'), /RETCODE = 4001 .*No such call: NONE/);
  });

  it('STR TRACE begins a trace, DSP TRACE lists its calls and draws both legs, STP TRACE ends it', async () => {
    assert.match(await client.run('DSP TRACE: CALLID=abc@pc33'), /RETCODE = 4001 .*Begin with STR TRACE/);
    assert.match(await client.run('STR TRACE: USER=1001'), /Running += {2}yes\r\n {2}User += {2}1001\r\n/i);
    assert.match(await client.run('STR TRACE: CALLID=CALL1'), /Call-IDs += {2}abc@pc33 leg-b\r\n/);
    const list = await client.run('DSP TRACE');
    assert.match(list, /INVITE SDP +192\.0\.2\.7:5062 +1 +abc@pc33/);
    assert.match(list, / other\r\n/);
    for (const name of ['CALL1', 'abc@pc33', 'leg-b']) {
      const drawn = await client.run(`DSP TRACE: CALLID=${name}`);
      assert.match(drawn, /0\.000 \|-+ INVITE SDP -+>\|[\s\S]*0\.020 \| +\|-+ INVITE SDP -+>\|/);
      assert.doesNotMatch(drawn, /Call-ID:/);
    }
    const full = await client.run('DSP TRACE: CALLID=abc@pc33, DETAIL=YES');
    assert.match(full, /\.020 {2}udp 192\.0\.2\.1:5060 -> 192\.0\.2\.8:5064\r\n/);
    assert.match(full, / {2}Call-ID: abc@pc33\r\n/);
    assert.match(full, / {2}s=·\[2J\r\n/, 'nothing on the wire reaches the terminal as a control');
    const described = await client.run('DSP TRACE: CALLID=abc@pc33, SDP=YES');
    assert.match(
      described,
      /udp 192\.0\.2\.1:5060 -> 192\.0\.2\.8:5064 {2}INVITE SDP\r\n {2}v=0\r\n {2}s=·\[2J\r\n/,
    );
    assert.match(described, /0\.000 = 2023-11-1\d \d\d:\d\d:\d\d\.000\r\n/);
    const exported = await client.run('EXP TRACE: CALLID=CALL1, FORMAT=TEXT, FILE=call.txt');
    const file = await readFile(/File += {2}(\S+)/.exec(exported)![1]!, 'utf8');
    assert.match(file, / {2}s=·\[2J\n/, 'nor reaches a file as one');
    assert.match(await client.run('EXP TRACE: FILE=all.pcap'), /Rows += {2}3\r\n/);
    assert.match(await client.run('EXP TRACE: FILE=all.pcap'), /RETCODE = 4002 /);
    assert.match(await client.run('EXP TRACE: FILE=all.pcap, OVERWRITE=YES'), /RETCODE = 0 /);
    assert.match(await client.run('EXP TRACE: CALLID=none'), /RETCODE = 4001 /);
    assert.match(await client.run('STP TRACE'), /Running += {2}no\r\n/i);
  });

  it('DSP PERF shows all figures, or those of a type; messages as a table', async () => {
    const all = await client.run('DSP PERF');
    assert.match(all, /engine +dialogs +2/);
    assert.match(all, /Transport +Message +Received +Sent/);
    assert.doesNotMatch(all, /traffic\.udp/);
    const messages = await client.run('DSP PERF: TYPE=MSG');
    assert.match(messages, /udp +INVITE +3 +0\r\n {2}udp +2xx +1 +2\r\n/);
    assert.doesNotMatch(messages, /dialogs/);
    const net = await client.run('DSP PERF NET');
    assert.match(net, /admissionDropped +7/);
    assert.doesNotMatch(net, /dialogs|Percent/);
    assert.match(await client.run('DSP PERF CPU'), /cpuPercent/);
    const load = await client.run('DSP PERF LOAD');
    assert.match(load, /Name|Figure +Now +Of +Unit +Load\r\n/);
    assert.match(load, / {2}CPU +0\.01 +2 {2}core +\[\.{22}\] {3}0\.5 %\r\n/);
    assert.match(load, / {2}Heap +20 +2048 {2}MiB +\[\.{22}\] {3}1\.0 %\r\n/);
    assert.match(load, /Over the last 0\.[5-9] s/);
    assert.doesNotMatch(load, /dialogs/);
    assert.match(await client.run('DSP PERF: TYPE=EVENTLOOP'), /overload\.loopDelayMs +4/);
    assert.match(await client.run('DSP PERF: TYPE=CALL'), /engine +dialogs +2/);
    assert.match(await client.run('DSP PERF: TYPE=MEM'), /rssBytes/);
  });

  it('LST CDR lists by day, number and result, newest first, and pages by cursor', async () => {
    const ids = (report: string) =>
      [...report.matchAll(/^ {2}(R\d|OLD) /gm)].map((match) => match[1]).join(' ');
    assert.equal(ids(await client.run('LST CDR')), 'R3 R2 R1 R0 OLD');
    assert.equal(ids(await client.run('DSP CDR DATE=2026-11-20 TYPE=CALL LIMIT=10')), 'R3 R2 R1 R0');
    assert.equal(ids(await client.run('LST CDR: DATE=2026-11-19..2026-11-20, ORDER=ASC')), 'OLD R0 R1 R2 R3');
    assert.equal(ids(await client.run('LST CDR: RESULT=BUSY')), 'R2');
    assert.equal(ids(await client.run('LST CDR: NUMBER=1009')), 'OLD');
    const page = await client.run('LST CDR: LIMIT=2');
    assert.equal(ids(page), 'R3 R2');
    const cursor = /CURSOR=("[^"]+")/.exec(page)![1]!;
    assert.equal(ids(await client.run(`LST CDR: LIMIT=2, CURSOR=${cursor}`)), 'R1 R0');
  });

  it('LST CDR: ID= shows a record in full', async () => {
    const report = await client.run('LST CDR: ID=R0');
    assert.match(report, /Result += {2}ANSWERED\r\n {2}Started += {2}2026-11-20 12:00:00[+-]/);
    assert.match(report, /SIP status += {2}200 OK\r\n/);
    assert.match(await client.run('LST CDR: ID=R9'), /RETCODE = 4001/);
  });

  it('DSP CDR STAT counts results, ratio and averages', async () => {
    const report = await client.run('DSP CDR STAT: DATE=2026-11-20');
    assert.match(report, /Calls += {2}4\r\n {2}ANSWERED += {2}2\r\n/);
    assert.match(
      report,
      /Answer-seizure ratio += {2}50\.0 %\r\n {2}Average call += {2}15 s\r\n {2}Total answered += {2}30 s\r\n/,
    );
  });

  it('DSP SYSCFG, DSP SRVSTAT and DSP LICENSEINFO show set-up, parts and packages', async () => {
    assert.match(await client.run('DSP SYSCFG'), /Realm += {2}ims\r\n[\s\S]*RTP ports += {2}20000-29999\r\n/);
    const parts = await client.run('DSP SRVSTAT');
    assert.match(parts, /sip-engine +UP +embedded udp:127\.0\.0\.1:5060\r\n/);
    assert.match(parts, /store +UP +lmdb[\s\S]*console +UP +1 sessions\r\n/);
    assert.match(await client.run('DSP LICENSEINFO'), /ims-b2bua +0\.1\.0 +MIT\r\n/);
  });

  it('DSP LOG shows lines of memory by call and level, CLR LOG forgets them', async () => {
    assert.match(await client.run('DSP LOG RECENT'), /Number of results = 0/);
    assert.match(await client.run('DSP LOG SEARCH KEYWORD=x'), /RETCODE = 0 /);
    assert.match(await client.run('CLR LOG'), /RETCODE = 3003 /);
    assert.match(await client.run('CLR LOG BEFORE=TODAY CONFIRM=YES'), /Lines forgotten: 0/);
  });

  it('CLR CALL and CLR REG end all, when confirmed', async () => {
    assert.match(await client.run('CLR CALL'), /RETCODE = 3003 /);
    assert.match(await client.run('CLR CALL: NUMBER=1009, CONFIRM=YES'), /Calls += {2}0\r\n/);
    assert.match(await client.run('CLR CALL ALL CONFIRM=YES'), /Calls += {2}1\r\n/);
    assert.match(await client.run('CLR REG ALL CONFIRM=YES'), /Contacts ended += {2}1\r\n/);
    assert.equal(services.bindingMap.size, 0);
  });

  it('HLP: PARAM= says what a parameter means to each command', async () => {
    assert.match(await client.run('HELP PARAM=CALLID'), /DSP CALL +SIP Call-ID[\s\S]*RMV CALL /);
    assert.match(await client.run('HLP: PARAM=USERNAM'), /RETCODE = 2001 .*USERNAME/);
  });

  it('SET LOG changes a level, of one module or of all', async () => {
    assert.match(await client.run('SET LOG: LEVEL=debug, MODULE=call'), /call +debug/);
    assert.match(await client.run('SET LOGLEVEL LEVEL=WARN'), /\* +warn[\s\S]*call +debug/);
    assert.match(await client.run('DSP LOG CFG'), /engine +warn/);
    assert.match(await client.run('SET LOG: LEVEL=LOUD'), /RETCODE = 2003 /);
  });
});
