import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';

describe('console by plain lines, as nc speaks', () => {
  let server: TestConsole;
  const services = mmlTestServices();
  before(async () => {
    server = await startTestConsole(services);
  });
  after(() => server.close());

  it('logs in, runs commands and prints reports in the frame with CR LF', async () => {
    const client = await WireClient.open(server.port);
    await client.login();
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
    await client.untilClosed();
  });
});
