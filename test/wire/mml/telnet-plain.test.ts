import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { callRecord, mmlTestServices } from '../../support/mml-services.js';

describe('console by plain lines, as nc speaks', { timeout: 60_000 }, () => {
  let server: TestConsole;
  const services = mmlTestServices();
  before(async () => {
    server = await startTestConsole(services);
  });
  after(() => server.close());

  const loggedIn = async (name = 'admin') => {
    const client = await WireClient.open(server.port);
    await client.login(name);
    return client;
  };

  it('logs in, runs commands and prints reports in the frame with CR LF', async () => {
    const client = await loggedIn();
    const report = await client.run('ADD USER: USERNAME=1001, PASSWORD="pass word", NAME="李 四";');
    const lines = report.replace(/^[^+]*/s, '').split('\r\n');
    assert.match(lines[0]!, /^\+\+\+ {4}ims-server\/1 {11}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
    assert.match(lines[1]!, /^O&M {4}#\d+$/);
    assert.equal(lines[2], '%%ADD USER: USERNAME=1001, PASSWORD=******, NAME="李 四";%%');
    assert.equal(lines[3], 'RETCODE = 0  Operation succeeded');
    assert.ok(report.includes('User name  =  1001'));
    assert.ok(report.includes('(Number of results = 1)\r\n\r\n---    END\r\n'));
    assert.match(await client.run('DSP SYSINFO'), /SIP engine += {2}embedded/);
    client.send('LGO\n');
    assert.match(await client.untilClosed(), /RETCODE = 0 {2}Operation succeeded\r\n\r\n--- {4}END\r\n\r\n$/);
  });

  it('never echoes, prompts, pages or asks where there is no terminal', async () => {
    services.callMap.set('C1', {
      id: 'C1',
      state: 'connected',
      callId: 'x@y',
      caller: '1001',
      callee: '1002',
      dialled: '1002',
      callerAddress: '127.0.0.1:5062',
      startTime: Date.now() - 5000,
      answerTime: Date.now() - 3000,
      timeline: [],
    });
    const client = await loggedIn();
    assert.match(await client.run('RMV CALL: ID=C1'), /^\r\n\+\+\+[\s\S]*RETCODE = 3003 /);
    assert.equal(services.callMap.size, 1);
    assert.match(
      await client.run('RMV CALL CALLID=x@y CONFIRM=YES'),
      /^\r\n\+\+\+[\s\S]*RETCODE = 0 [\s\S]*1001/,
    );
    assert.equal(services.callMap.size, 0);
    for (let i = 0; i < 60; i++)
      services.recordList.push(callRecord({ id: `R${i}`, startTime: 1_790_000_000_000 + i }));
    const report = await client.run('LST CDR: LIMIT=50');
    assert.match(report, /\(Number of results = 50\)\r\nMore follow: repeat with CURSOR="50"/);
    assert.doesNotMatch(client.bytes.toString('utf8'), /--More--|MML>|\(Y\/N\)|secret/);
    client.close();
  });

  it('runs several commands a line, and all that was sent before the end of input', async () => {
    const client = await WireClient.open(server.port);
    client.send('admin\nsecret\nDSP VERSION; DSP REG STAT; // and\nLST SESSION');
    client.socket.end('\n');
    const all = await client.untilClosed();
    assert.deepEqual(
      [...all.matchAll(/%%(.*);%%/g)].map((match) => match[1]),
      ['DSP VERSION', 'DSP REG STAT', 'LST SESSION'],
    );
  });

  it('prints JSON when asked, one object a command', async () => {
    const client = await loggedIn();
    await client.run('SET SESSION: LANG=ZH');
    client.send('SET SESSION: FORMAT=JSON\nDSP CALL STAT\nNOSUCH\n');
    await client.until('\r\n');
    const objects = [];
    for (let i = 0; i < 3; i++)
      objects.push(JSON.parse((await client.until(/\{.*\}\r\n/)).replace(/^[^{]*/, '')));
    assert.deepEqual(
      objects.map((one) => one.retcode),
      [0, 0, 1002],
    );
    assert.equal(objects[1].message, '操作成功');
    assert.deepEqual(objects[1].reports[0].rows, [{ ...services.calls.count() }]);
    client.close();
  });

  it('keeps to roles', async () => {
    const guest = await loggedIn('guest');
    assert.match(await guest.run('LST USER'), /RETCODE = 0 /);
    assert.match(
      await guest.run('ADD USER: USERNAME=5, PASSWORD=secret1'),
      /RETCODE = 3002 .*OPERATOR.*GUEST/,
    );
    assert.match(await guest.run('LST OPERATOR'), /RETCODE = 3002 /);
    assert.match(await guest.run('SET SESSION: PAGE=0'), /RETCODE = 0 /);
    const operator = await loggedIn('oper');
    assert.match(await operator.run('ADD USER: USERNAME=5, PASSWORD=secret1'), /RETCODE = 0 /);
    assert.match(await operator.run('RMV CALL: ID=x, CONFIRM=YES'), /RETCODE = 3002 .*ADMIN/);
    assert.match(await operator.run('SET PASSWORD: NAME=admin, PASSWORD=mine'), /RETCODE = 3002 /);
    guest.close();
    operator.close();
  });

  it('maps what the rooms throw to RETCODEs with what to do', async () => {
    const client = await loggedIn();
    assert.match(
      await client.run('RMV USER: USERNAME=nobody'),
      /RETCODE = 4001 {2}No such user: nobody\. See LST USER/,
    );
    assert.match(await client.run('ADD USER: USERNAME=77, PASSWORD=x'), /RETCODE = 2008 /);
    await client.run('ADD USER: USERNAME=77, PASSWORD=secret1');
    assert.match(
      await client.run('ADD USER: USERNAME=77, PASSWORD=secret1'),
      /RETCODE = 4002 {2}User 77 exists already/,
    );
    assert.match(await client.run('MOD USER: USERNAME=77'), /RETCODE = 2007 /);
    client.close();
  });

  it('writes every command to the operation log, secrets masked', async () => {
    const client = await loggedIn();
    await client.run('ADD USER: USERNAME=88, PASSWORD="top secret"');
    await client.run('ADD USER: USERNAME=89, PASSWORD="top secret');
    const log = await client.run('LST OPLOG: OPERATOR=admin, KEYWORD=ADD USER: USERNAME=8');
    assert.match(log, /RETCODE = 1001 .*unexpected :/);
    const found = await client.run('LST OPLOG: OPERATOR=admin, KEYWORD="USERNAME=8", LIMIT=3');
    assert.match(found, /admin +127\.0\.0\.1 .* 0 .*ADD USER: USERNAME=88, PASSWORD=\*{6}/);
    assert.match(found, /1004 .*ADD USER: USERNAME=89, PASSWORD=\*{6}/);
    assert.doesNotMatch(found, /top/);
    client.close();
  });

  it('lists sessions and ends one', async () => {
    const [admin, guest] = [await loggedIn(), await loggedIn('guest')];
    const list = await admin.run('LST SESSION');
    const id = /(\d+) +guest +GUEST/.exec(list.split('\r\n').reverse().join('\r\n'))![1]!;
    assert.match(await admin.run(`RMV SESSION: ID=${id}`), /RETCODE = 0 /);
    assert.match(await guest.untilClosed(), /ended by an operator/);
    assert.match(await admin.run('RMV SESSION: ID=999'), /RETCODE = 4001 /);
    admin.close();
  });

  it('removing an operator or changing its password ends its sessions', async () => {
    const admin = await loggedIn();
    await admin.run('ADD OPERATOR: NAME=temp, PASSWORD=secret, ROLE=GUEST');
    const first = await loggedIn('temp');
    await first.run('LST USER');
    assert.match(await admin.run('SET PASSWORD: NAME=temp, PASSWORD=secret'), /Sessions ended: 1/);
    await first.untilClosed();
    const second = await loggedIn('temp');
    assert.match(await second.run('SET PASSWORD: PASSWORD=other'), /RETCODE = 2002 .*OLD/);
    assert.match(await second.run('SET PASSWORD: OLD=wrong, PASSWORD=other'), /RETCODE = 3007 /);
    assert.match(await second.run('SET PASSWORD: OLD=secret, PASSWORD=other'), /RETCODE = 0 /);
    assert.match(await admin.run('RMV OPERATOR: NAME=temp, CONFIRM=YES'), /Sessions ended: 1/);
    await second.untilClosed();
    assert.match(await admin.run('RMV OPERATOR: NAME=admin, CONFIRM=YES'), /RETCODE = 3007 /);
    admin.close();
  });

  it('explains with a ? at the end of a line', async () => {
    const client = await loggedIn();
    assert.match(await client.run('DSP CALL: STATE=?'), /routing\|ringing[\s\S]*CONNECTED/);
    assert.match(await client.run('ADD ?'), / {2}USER +Create a user/);
    assert.match(await client.run('HLP: CMD="RMV CALL"'), /CONFIRM=YES/);
    assert.match(await client.run('HLP'), /DSP SYSINFO/);
    client.close();
  });
});
