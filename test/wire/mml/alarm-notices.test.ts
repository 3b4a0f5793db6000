import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { MAX_WAITING_NOTICES } from '../../../src/mml/limits.js';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';
import { Screen } from '../../support/screen.js';

const END = '---    END\r\n';

describe('alarms printed without being asked for', { timeout: 60_000 }, () => {
  let server: TestConsole;
  const services = mmlTestServices();
  const { alarms } = services;
  const clients: WireClient[] = [];
  before(async () => {
    server = await startTestConsole(services);
    for (let i = 1001; i <= 1040; i++) await services.users.add(String(i), { password: 'secret1' });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    for (const { id } of alarms.active()) alarms.clearById(id, 'test');
  });
  after(() => server.close());

  const atTerminal = async (): Promise<WireClient> => {
    const client = await WireClient.open(server.port);
    clients.push(client);
    await client.loginAtTerminal();
    return client;
  };
  const plain = async (): Promise<WireClient> => {
    const client = await WireClient.open(server.port);
    clients.push(client);
    await client.login();
    return client;
  };
  /** What a terminal shows after those bytes: its lines, the last being the present one. */
  const shown = (text: string): string[] => {
    const screen = new Screen();
    screen.write(text);
    return [...screen.lines, screen.line];
  };

  it('stand above the line that is being typed, which goes on as it was', async () => {
    const client = await atTerminal();
    client.send('SET SESSION: ALARM=YES\r\0');
    assert.match(await client.until('MML> '), /Alarms\s+= {2}YES/);
    client.send('LST USER: USERNAME=10\x1b[D\x1b[D');
    await client.until('=10\b\b');
    alarms.raise('TRUNK_DOWN', 'carrier1', '503 Service Unavailable');
    const notice = await client.until('=10\b\b');
    const lines = shown(`MML> LST USER: USERNAME=10${notice}`);
    assert.match(
      lines.join('\n'),
      /^\n\+\+\+ {4}ims-server\/1 .*\nALARM {2}#\d+ {2}RAISED {2}MAJOR {2}TRUNK_DOWN\n\nTrunk down\n-+\n/,
    );
    assert.ok(lines.includes('---    END'));
    assert.equal(lines.at(-1), 'MML> LST USER: USERNAME=10');
    // The cursor stands before the digits still.
    client.send('40\x1b[C\x1b[C\x7f\x7f\r\0');
    assert.match(await client.until(END), /%%LST USER: USERNAME=40;%%/);
    alarms.clear('TRUNK_DOWN', 'carrier1');
    assert.match(
      await client.until(END),
      /ALARM {2}#\d+ {2}CLEARED {2}MAJOR {2}TRUNK_DOWN[\s\S]*Cleared by\s+= {2}server/,
    );
  });

  it('never come inside a report, a page or a question, but before the next prompt', async () => {
    const client = await atTerminal();
    client.send('SET SESSION: ALARM=YES\r\0');
    await client.until('MML> ');
    client.send('LST USER\r\0');
    await client.until('--More--');
    alarms.raise('STORE_DOWN', '', 'away');
    for (let page = 0; page < 3; page++) {
      client.send(' ');
      assert.doesNotMatch(await client.until('--More--'), /ALARM/);
    }
    client.send(' ');
    const rest = await client.until('MML> ');
    assert.match(
      rest,
      /^[\s\S]*--- {4}END\r\n[\s\S]*ALARM {2}#\d+ {2}RAISED {2}CRITICAL {2}STORE_DOWN[\s\S]*MML> $/,
    );
    assert.equal(rest.indexOf('ALARM'), rest.lastIndexOf('ALARM'));
    client.send('RST SERVICE\r\0');
    await client.until('(Y/N) ');
    alarms.clear('STORE_DOWN', '');
    client.send('N');
    assert.match(await client.until('MML> '), /^N\r\n[\s\S]*RETCODE = 3004[\s\S]*END\r\n[\s\S]*CLEARED/);
  });

  it('wait while a report goes on', async () => {
    const client = await atTerminal();
    client.send('SET SESSION: ALARM=YES\r\0');
    await client.until('MML> ');
    client.send('LST ALARM: WATCH=1\r\0');
    await client.until('Number of results = 0');
    alarms.raise('OVERLOAD', '', 'busy');
    // The report itself shows it; the frame of the alarm comes after its end.
    assert.doesNotMatch(await client.until('Number of results = 1'), /RAISED/);
    client.send('q');
    assert.match(await client.until('MML> '), /ALARM {2}#\d+ {2}RAISED {2}MAJOR {2}OVERLOAD/);
  });

  it('go to nobody who did not ask, and to nobody any more who says NO', async () => {
    const [silent, asking] = [await plain(), await plain()];
    await asking.run('SET SESSION: ALARM=YES');
    alarms.raise('OVERLOAD', '', 'busy');
    await asking.until('OVERLOAD');
    assert.doesNotMatch(await silent.run('LST SESSION'), /OVERLOAD/);
    await asking.until(END);
    await asking.run('SET SESSION: ALARM=NO');
    alarms.clear('OVERLOAD', '');
    assert.doesNotMatch(await asking.run('LST SESSION'), /CLEARED/);
  });

  it('come whole to a client without a terminal, as frames or as JSON, in its language', async () => {
    const client = await plain();
    await client.run('SET SESSION: ALARM=YES, LANG=ZH');
    alarms.raise('NO_RELAY', '', '2 configured');
    assert.match(await client.until(END), /^\r\n\r\n\+\+\+ [\s\S]*无可用媒体中继\r\n/);
    client.send('SET SESSION: FORMAT=JSON\n');
    await client.until('\r\n');
    await client.until('}\r\n');
    alarms.clear('NO_RELAY', '');
    const { alarm } = JSON.parse(await client.until('}}\r\n')) as { alarm: Record<string, unknown> };
    assert.equal(alarm['event'], 'cleared');
    assert.equal(alarm['name'], 'NO_RELAY');
    assert.match(String(alarm['clearedAt']), /^\d{4}-.*Z$/);
  });

  it('are bounded while a report stands; the rest is counted', async () => {
    const client = await atTerminal();
    client.send('SET SESSION: ALARM=YES\r\0');
    await client.until('MML> ');
    client.send('LST USER\r\0');
    await client.until('--More--');
    for (let i = 0; i < MAX_WAITING_NOTICES + 7; i++) alarms.raise('TRUNK_DOWN', `t${i}`, '');
    client.send('q');
    const rest = await client.until('MML> ');
    assert.equal(rest.split('RAISED').length - 1, MAX_WAITING_NOTICES);
    assert.match(rest, /7 more alarms came meanwhile: see LST ALARM\r\n/);
  });

  it('cannot forge a frame by what they are about', async () => {
    const client = await plain();
    await client.run('SET SESSION: ALARM=YES');
    alarms.raise('TRUNK_DOWN', 'x\r\n---    END', '\x1b[2J');
    const notice = await client.until('What to do');
    assert.doesNotMatch(notice, /\x1b/);
    assert.doesNotMatch(notice, /^--- {4}END/m);
  });

  it('are counted in the banner, by severity', async () => {
    alarms.raise('STORE_DOWN', '', '');
    alarms.raise('TRUNK_DOWN', 'a', '');
    alarms.raise('TRUNK_DOWN', 'b', '');
    const client = await atTerminal();
    assert.match(
      client.bytes.toString('utf8'),
      /\r\nActive alarms: 3 \(1 CRITICAL, 2 MAJOR\)\. LST ALARM shows them\.\r\n/,
    );
    for (const { id } of alarms.active()) alarms.clearById(id, 'test');
    const other = await atTerminal();
    assert.match(other.bytes.toString('utf8'), /\r\nNo alarm is active\.\r\n/);
  });

  it('are forgotten with the session', async () => {
    const client = await plain();
    await client.run('SET SESSION: ALARM=YES');
    client.send('LGO\n');
    await client.untilClosed();
    alarms.raise('OVERLOAD', '', '');
    assert.doesNotMatch(client.bytes.toString('utf8'), /OVERLOAD/);
  });
});
