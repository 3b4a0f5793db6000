import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { OPERATOR_POLICY } from '../../../src/accounts/operator-rules.js';
import { StoredOperators } from '../../../src/accounts/stored-operators.js';
import { runMml } from '../../../src/mml/transport/run-mml.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';
import { openTempStore } from '../../support/temp-store.js';

describe('operators at the console', { timeout: 60_000 }, () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let server: TestConsole;
  let admin: WireClient;
  let operators: StoredOperators;
  const policy = { ...OPERATOR_POLICY, lockAfter: 2 };
  before(async () => {
    temp = await openTempStore();
    operators = new StoredOperators({ store: temp.store, policy });
    await operators.ensureAdmin('Sesame-1');
    server = await startTestConsole({ ...mmlTestServices(), operators });
    admin = await WireClient.open(server.port);
    await admin.login('admin', 'Sesame-1');
  });
  after(async () => {
    admin.close();
    await server.close();
    await temp.close();
  });

  let host = 1;
  /** Each time from another address: guessing is slowed down by address. */
  async function tries(name: string, password: string): Promise<{ client: WireClient; shown: string }> {
    const client = await WireClient.open(server.port, `127.0.0.${++host}`);
    await client.login(name, password);
    client.send('LST SESSION\n');
    return { client, shown: await client.until(/RETCODE = \d+ [^\r]*\r\n/) };
  }

  it('ADD, LST and MOD OPERATOR set role, addresses, hours and days; a rule is taken away by ANY', async () => {
    const added = await admin.run(
      'ADD OPERATOR: NAME=zhang, PASSWORD="Long enough", ROLE=OPERATOR, ADDRESSES=10.0.0.0/8&192.0.2.7, HOURS=08:00-18:00, DAYS=MON-FRI',
    );
    assert.match(
      added,
      /Logs in from += {2}10\.0\.0\.0\/8 192\.0\.2\.7\r\n {2}Working hours += {2}MON&TUE&WED&THU&FRI 08:00-18:00\r\n/,
    );
    assert.match((await tries('zhang', 'Long enough')).shown, /RETCODE = 3005/);
    const changed = await admin.run('MOD OPERATOR: NAME=zhang, ADDRESSES=127.0.0.0/8, HOURS=ANY');
    assert.match(
      changed,
      /Logs in from += {2}127\.0\.0\.0\/8\r\n {2}Working hours += {2}MON&TUE&WED&THU&FRI 00:00-24:00\r\n/,
    );
    assert.match(await admin.run('MOD OPERATOR: NAME=zhang, DAYS=ANY'), /Working hours += {2}ANY\r\n/);
    const { client, shown } = await tries('zhang', 'Long enough');
    assert.match(shown, /RETCODE = 0 /);
    assert.match(await admin.run('MOD OPERATOR: NAME=zhang, ROLE=GUEST'), /Sessions ended: 1/);
    await client.untilClosed();
    assert.match(await admin.run('MOD OPERATOR: NAME=zhang'), /RETCODE = 2007/);
    assert.match(await admin.run('MOD OPERATOR: NAME=admin, ROLE=GUEST'), /RETCODE = 3007 .*last ADMIN/);
    assert.match(await admin.run('MOD OPERATOR: NAME=zhang, ADDRESSES=nowhere'), /RETCODE = 2003/);
  });

  it('ims mml is no operator: its name is taken, changes of operators do not end it, and it has no password', async () => {
    assert.match(
      await admin.run('ADD OPERATOR: NAME=local, PASSWORD="Long enough"'),
      /RETCODE = 2009 .*ims mml/,
    );
    // One of that name from before.
    await operators.add('local', 'Long enough', 'OPERATOR');
    const commands =
      'MOD OPERATOR: NAME=local, ROLE=GUEST; RMV OPERATOR: NAME=local, CONFIRM=YES; SET PASSWORD: PASSWORD="Long enough"';
    const socket = connect(server.socketPath);
    await once(socket, 'connect');
    socket.write('{"mode":"run"}\n');
    socket.write(`${JSON.stringify({ run: 'DSP VERSION' })}\n`);
    await once(socket, 'data');
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const streams = { stdin: Readable.from(['']), stdout, stderr };
    await runMml({ socketPath: server.socketPath, ...streams, command: commands });
    stdout.end();
    const told = await text(stdout);
    assert.match(told, /MOD OPERATOR[\s\S]*RETCODE = 0 [\s\S]*RMV OPERATOR[\s\S]*RETCODE = 0 /);
    assert.doesNotMatch(told, /Sessions ended/);
    assert.match(told, /SET PASSWORD.*\nRETCODE = 3007 .*SET PASSWORD: NAME=/);
    socket.write(`${JSON.stringify({ run: 'DSP VERSION' })}\n`);
    await once(socket, 'data');
    socket.destroy();
  });

  it('wrong passwords lock an operator, UNL OPERATOR unlocks it', async () => {
    await admin.run('ADD OPERATOR: NAME=wang, PASSWORD="Long enough", ROLE=OPERATOR');
    for (let i = 0; i < 2; i++) {
      const { client, shown } = await tries('wang', 'wrong');
      assert.match(shown, /RETCODE = 3005/);
      client.close();
    }
    assert.match((await tries('wang', 'Long enough')).shown, /RETCODE = 3005/);
    assert.match(await admin.run('UNL OPERATOR: NAME=wang'), /RETCODE = 0 {2}Operation succeeded\r\n/);
    assert.match(await admin.run('UNL OPERATOR: NAME=wang'), /was not locked/);
  });

  it('who has a password that is too old can change it, and nothing else', async () => {
    policy.passwordDays = 1;
    const old = (await temp.store.collection('operators').get('admin')) as Record<string, number>;
    await temp.store.collection('operators').put('admin', { ...old, passwordAt: 1 });
    const client = await WireClient.open(server.port);
    await client.login('admin', 'Sesame-1');
    assert.match(await client.until('\r\nRETCODE = 3008'), /./s);
    assert.match(await client.run('LST USER'), /RETCODE = 3008 .*SET PASSWORD/);
    assert.match(await client.run('HLP'), /RETCODE = 0 /);
    assert.match(await client.run('SET PASSWORD: OLD="Sesame-1", PASSWORD="admin"'), /RETCODE = 2008/);
    assert.match(await client.run('SET PASSWORD: OLD="Sesame-1", PASSWORD="Sesame-2"'), /RETCODE = 0 /);
    assert.match(await client.run('LST USER'), /RETCODE = 0 /);
    client.close();
  });
});
