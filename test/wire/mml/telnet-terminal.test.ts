import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';

const UP = '\x1b[A';

describe('console at a telnet terminal', { timeout: 60_000 }, () => {
  let server: TestConsole;
  const services = mmlTestServices();
  before(async () => {
    server = await startTestConsole(services);
    for (let i = 1001; i <= 1040; i++) await services.users.add(String(i), { password: 'secret1' });
  });
  after(() => server.close());

  const atTerminal = async (columns?: number, rows?: number) => {
    const client = await WireClient.open(server.port);
    await client.loginAtTerminal(columns, rows);
    return client;
  };

  it('RFC 856, RFC 857, RFC 858, RFC 1073, RFC 1091: offers ECHO, SGA, BINARY, asks for BINARY, NAWS, TTYPE', async () => {
    const client = await WireClient.open(server.port);
    await client.until('login: ');
    const offers = client.bytes.toString('latin1');
    for (const offer of [
      '\xff\xfb\x01',
      '\xff\xfb\x00',
      '\xff\xfd\x00',
      '\xff\xfb\x03',
      '\xff\xfd\x1f',
      '\xff\xfd\x18',
    ])
      assert.ok(offers.includes(offer));
    client.close();
  });

  it('RFC 854: sends a lone CR as CR NUL to a client that refuses BINARY', async () => {
    const client = await WireClient.open(server.port);
    await client.until('login: ');
    client.send(Buffer.from([255, 253, 1, 255, 253, 3, 255, 254, 0]));
    client.send('admin\r\0secret\r\0');
    await client.until('MML> ');
    client.send('ab');
    await client.until('ab');
    client.send('\x7f');
    await client.until('\r\0MML> a');
    assert.doesNotMatch(client.bytes.toString('latin1'), /\r[^\n\0]/);
    client.close();
  });

  it('echoes what is typed, but no password', async () => {
    const client = await atTerminal();
    assert.doesNotMatch(client.bytes.toString('utf8'), /secret/);
    client.send('LST USER: USERNAME=1001\r\0');
    const report = await client.until('END\r\n');
    assert.ok(report.startsWith('LST USER: USERNAME=1001\r\n+++'), report);
    assert.match(await client.until('MML> '), /^\r\n\r?/);
    client.close();
  });

  it('completes verbs, objects, parameters, values and live users with Tab', async () => {
    const client = await atTerminal();
    client.send('LS\t');
    await client.until('LST ');
    client.send('US\t');
    await client.until('USER ');
    client.send('\x15DSP \t');
    await client.until('DSP ');
    assert.match(await client.until('MML> DSP '), /CALL +CDR +CONF +DIALJOB/);
    client.send('\x15MOD USER: USERN\t');
    await client.until('USERNAME=');
    client.send('104\t');
    await client.until('1040');
    client.send(', STATUS=su\t');
    await client.until('SUSPENDED');
    client.send('\x15SYS\t');
    await client.until('\x07');
    client.close();
  });

  it('helps at ? without Enter and keeps the line', async () => {
    const client = await atTerminal();
    client.send('ADD ?');
    const help = await client.until('MML> ADD ');
    assert.match(help, /USER +Create a user/);
    client.send('USER: ?');
    assert.match(await client.until('MML> ADD USER: '), /PASSWORD= +Password \(required/);
    client.send('NAME="really?"');
    await client.until('really?"');
    client.close();
  });

  it('recalls commands with the up arrow, secrets cut out', async () => {
    const client = await atTerminal();
    client.send('LST USER: USERNAME=1002\r');
    await client.until('MML> ');
    client.send('ADD USER: USERNAME=2001, PASSWORD=geheim1\r');
    await client.until('END\r\n\r\n');
    client.send(UP);
    assert.match(await client.until('PASSWORD='), /ADD USER: USERNAME=2001, PASSWORD=$/);
    client.send(`${UP}\r`);
    await client.until('%%LST USER: USERNAME=1002;%%');
    client.close();
  });

  it('pages a long report: space, Enter and q', async () => {
    const client = await atTerminal(200, 10);
    client.send('LST USER\r');
    const first = await client.until('--More--');
    assert.equal(first.split('\r\n').length - 2, 9);
    client.send('\r');
    assert.equal((await client.until('--More--')).split('\r\n').length, 2);
    client.send(' ');
    assert.equal((await client.until('--More--')).split('\r\n').length, 10);
    client.send('q');
    assert.match(await client.until('MML> '), /^\r +\r--- {4}END\r\n\r\n\rMML> $/);
    client.send('SET SESSION: PAGE=0\r');
    await client.until('MML> ');
    client.send('LST USER\r');
    assert.doesNotMatch(await client.until('---    END'), /More/);
    client.close();
  });

  it('asks (Y/N) before a dangerous command', async () => {
    const client = await atTerminal();
    await services.operators.add('victim', 'secret', 'GUEST').catch(() => undefined);
    client.send('RMV OPERATOR: NAME=victim\r');
    await client.until('(Y/N) ');
    client.send('xn');
    assert.match(await client.until('END\r\n'), /^N\r\n[\s\S]*RETCODE = 3004 /);
    client.send('RMV OPERATOR: NAME=victim\r');
    await client.until('(Y/N) ');
    client.send('y');
    assert.match(await client.until('END\r\n'), /RETCODE = 0 /);
    client.close();
  });

  it('Ctrl-C drops the line; IP does too (RFC 854); Ctrl-D leaves', async () => {
    const client = await atTerminal();
    client.send('ADD USER nonsense\x03');
    await client.until('^C\r\n');
    client.send('more nonsense');
    client.send(Buffer.from([255, 244]));
    await client.until('^C\r\n');
    client.send(Buffer.from([255, 246]));
    await client.until('[Yes]');
    client.send('\x04');
    await client.untilClosed();
  });

  it('Ctrl-C ends the command that runs, not the session', async () => {
    const hung = mmlTestServices();
    let reached = () => {};
    const started = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const stuck = {
      ...hung,
      users: {
        ...hung.users,
        list: () => {
          reached();
          return new Promise<never>(() => {});
        },
      },
    };
    const second = await startTestConsole(stuck);
    const client = await WireClient.open(second.port);
    await client.loginAtTerminal();
    client.send('LST USER\rtyped ahead');
    await started;
    client.send('\x03');
    assert.match(await client.until('END\r\n'), /RETCODE = 4006 /);
    client.send('\x15DSP VERSION\r');
    assert.match(await client.until('END\r\n'), /%%DSP VERSION;%%[\s\S]*RETCODE = 0 /);
    client.close();
    await second.close();
  });

  it('goes on over lines after a comma', async () => {
    const client = await atTerminal();
    client.send('MOD USER: USERNAME=1003,\r');
    await client.until('...> ');
    client.send('NAME="Wang"\r');
    assert.match(await client.until('END\r\n'), /%%MOD USER: USERNAME=1003, NAME=Wang;%%[\s\S]*RETCODE = 0/);
    client.close();
  });

  it('puts UTF-8 together that was split over segments', async () => {
    const client = await atTerminal();
    for (const byte of Buffer.from('MOD USER: USERNAME=1004, NAME="李四😀"\r\n')) {
      client.send(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until('END\r\n');
    assert.equal((await services.users.view('1004'))?.displayName, '李四😀');
    client.close();
  });
});
