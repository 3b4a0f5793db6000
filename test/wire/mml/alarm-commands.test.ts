import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';

describe('console commands on alarms', { timeout: 60_000 }, () => {
  let server: TestConsole;
  let client: WireClient;
  const services = mmlTestServices();
  const { alarms } = services;
  before(async () => {
    server = await startTestConsole(services);
    client = await WireClient.open(server.port);
    await client.login('oper');
    alarms.raise('CLOCK_JUMP', '', '3600 s forward');
    alarms.raise('TRUNK_DOWN', 'carrier1', '503 Service Unavailable\r\n---    END');
    alarms.raise('STORE_DOWN', 'redis 127.0.0.1:6379/0', 'away');
    alarms.raise('TRUNK_DOWN', 'carrier1', '408');
  });
  after(async () => {
    client.close();
    await server.close();
  });

  const rows = (report: string): string[][] =>
    report
      .split('\r\n')
      .filter((line) => /^\s+\d+\s/.test(line))
      .map((line) => line.trim().split(/\s{2,}/));

  it('lists active alarms, worst first', async () => {
    const report = await client.run('LST ALARM');
    assert.match(report, /RETCODE = 0 .*\r\n\r\nActive alarms\r\n-+\r\n/);
    assert.deepEqual(
      rows(report).map(([, severity, name]) => `${severity} ${name}`),
      ['CRITICAL STORE_DOWN', 'MAJOR TRUNK_DOWN', 'WARNING CLOCK_JUMP'],
    );
    const trunk = rows(report)[1]!;
    assert.deepEqual([trunk[3], trunk[4], trunk.at(-1)], ['carrier1', '408', '2']);
    assert.match(report, /\(Number of results = 3\)/);
  });

  it('filters by severity, name and subject', async () => {
    assert.equal(rows(await client.run('LST ALARM: SEVERITY=MAJOR')).length, 2);
    assert.equal(rows(await client.run('DSP ALARM ACTIVE NAME=TRUNK_DOWN')).length, 1);
    assert.equal(rows(await client.run('LST ALARM: SUBJECT=other')).length, 0);
    assert.match(await client.run('LST ALARM: NAME=NOISE'), /RETCODE = 2003 /);
  });

  it('explains one alarm in both languages', async () => {
    const { id } = alarms.active({ name: 'TRUNK_DOWN' })[0]!;
    const report = await client.run(`LST ALARM: ID=${id}`);
    assert.match(report, /Meaning\s+= {2}Trunk down\r\n/);
    assert.match(report, /What to do\s+= {2}Ask its operator/);
    await client.run('SET SESSION: LANG=ZH');
    assert.match(await client.run(`LST ALARM: ID=${id}`), /处理建议\s+= {2}联系对端运维/);
    await client.run('SET SESSION: LANG=EN');
    assert.match(await client.run('LST ALARM: ID=999'), /RETCODE = 4001 {2}No such alarm: 999/);
  });

  it('clears by number, by name and all, and tells who did it', async () => {
    const { id } = alarms.active({ name: 'TRUNK_DOWN' })[0]!;
    assert.match(await client.run(`CLR ALARM: ID=${id}`), /Cleared alarms\r\n[\s\S]* TRUNK_DOWN .* oper\r\n/);
    assert.match(await client.run(`CLR ALARM: ID=${id}`), /RETCODE = 4001 /);
    assert.match(await client.run('CLR ALARM: NAME=CLOCK_JUMP'), /RETCODE = 0 /);
    assert.match(await client.run('CLR ALARM'), /RETCODE = 2002 /);
    assert.match(await client.run('CLR ALARM ALL'), /RETCODE = 0 /);
    assert.deepEqual(alarms.active(), []);
    const history = rows(await client.run('LST ALARM: HISTORY, DATE=TODAY'));
    assert.deepEqual(
      history.map(([, , name]) => name),
      ['STORE_DOWN', 'CLOCK_JUMP', 'TRUNK_DOWN'],
    );
    assert.equal(rows(await client.run('LST ALARM: HISTORY, LIMIT=1')).length, 1);
    assert.equal(rows(await client.run('LST ALARM: HISTORY, DATE=YESTERDAY')).length, 0);
  });

  it('lets a guest look but not clear', async () => {
    const guest = await WireClient.open(server.port);
    await guest.login('guest');
    assert.match(await guest.run('LST ALARM'), /RETCODE = 0 /);
    assert.match(await guest.run('CLR ALARM ALL'), /RETCODE = 3002 /);
    guest.close();
  });
});
