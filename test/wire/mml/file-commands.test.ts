import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { callRecord, mmlTestServices } from '../../support/mml-services.js';

describe('console commands on files', { timeout: 60_000 }, () => {
  let server: TestConsole;
  let client: WireClient;
  let exchange: string;
  const services = mmlTestServices();
  before(async () => {
    server = await startTestConsole(services);
    exchange = join(server.directory, 'exchange');
    mkdirSync(exchange);
    client = await WireClient.open(server.port);
    await client.login();
  });
  after(async () => {
    client.close();
    await server.close();
  });
  const inside = (name: string) => join(exchange, name);

  it('IMP USER takes JSON and CSV, says which rows it refuses, and can write all or nothing', async () => {
    writeFileSync(
      inside('users.json'),
      JSON.stringify([
        { username: '5001', password: '1234', display_name: 'Li Si' },
        { username: 'bad name', password: 'x' },
      ]),
    );
    const report = await client.run('IMP USER: FILE=users.json, ATOMIC=YES');
    assert.match(report, /Added += {2}0\r\n[\s\S]*Refused += {2}1\r\n[\s\S]*2 +bad name +a name has/);
    assert.equal(services.userMap.size, 0);
    assert.match(await client.run('IMP USER: FILE=users.json'), /Added += {2}1\r\n/);
    writeFileSync(
      inside('more.csv'),
      'username,password,name,forwardBusy\n5001,,Wang Wu,5002\n5002,secret2,,\n',
    );
    const more = await client.run('IMP USER: FILE=more.csv, EXISTING=UPDATE');
    assert.match(more, /Added += {2}1\r\n {2}Changed += {2}1\r\n/);
    assert.equal(services.userMap.get('5001')?.displayName, 'Wang Wu');
  });

  it('EXP USER writes CSV and JSON that IMP USER reads again, without passwords', async () => {
    assert.match(await client.run('EXP USER: FILE=out.csv'), /Rows += {2}2\r\n/);
    const csv = readFileSync(inside('out.csv'), 'utf8').split('\r\n');
    assert.match(csv[0]!, /^username,displayName,phone,email,status,serviceType,ring,/);
    assert.match(csv[1]!, /^5001,"Wang Wu",,,ACTIVE,BASIC,.*5002/);
    assert.equal(statSync(inside('out.csv')).mode & 0o777, 0o600);
    assert.match(await client.run('EXP USER: FILE=out.csv'), /RETCODE = 4002 /);
    assert.match(await client.run('EXP USER: FILE=out.csv, FORMAT=JSON, OVERWRITE=YES'), /RETCODE = 0 /);
    const [first] = JSON.parse(readFileSync(inside('out.csv'), 'utf8')) as { username: string }[];
    assert.equal(first?.username, '5001');
    for (const [format, name] of [
      ['CSV', 'again.csv'],
      ['JSON', 'again.json'],
    ])
      assert.match(await client.run(`EXP USER: FORMAT=${format}, FILE=${name}`), /RETCODE = 0 /);
    services.userMap.delete('5002');
    assert.match(
      await client.run('IMP USER: FILE=again.json, EXISTING=UPDATE'),
      /Changed += {2}1\r\n[\s\S]*Refused += {2}1\r\n/,
    );
    assert.match(await client.run('IMP USER: FILE=again.csv, EXISTING=UPDATE'), /Changed += {2}1\r\n/);
  });

  it('refuses names that leave the directory, by .., from the root or through a link', async () => {
    writeFileSync(join(server.directory, 'outside.json'), '[]');
    symlinkSync(server.directory, inside('up'));
    symlinkSync(join(server.directory, 'outside.json'), inside('link.json'));
    for (const name of [
      '../outside.json',
      '/etc/passwd',
      'up/outside.json',
      'link.json',
      'a/../../outside.json',
    ])
      assert.match(await client.run(`IMP USER: FILE="${name}"`), /RETCODE = 2010 /, name);
    for (const name of ['../new.csv', '/tmp/ims-new.csv', 'up/new.csv', '.'])
      assert.match(await client.run(`EXP USER: FILE="${name}"`), /RETCODE = 2010 /, name);
    assert.match(await client.run('EXP USER: FILE=link.json, OVERWRITE=YES'), /RETCODE = 5002 /);
    assert.equal(readFileSync(join(server.directory, 'outside.json'), 'utf8'), '[]');
    assert.match(await client.run('IMP USER: FILE=none.json'), /RETCODE = 4001 .*No such file: none\.json/);
  });

  it('EXP CDR writes records oldest first, CLR CDR removes those before a day, when confirmed', async () => {
    const day = (date: number) => new Date(2026, 10, date, 12).getTime();
    for (const date of [20, 18, 19])
      services.recordList.push(callRecord({ id: `R${date}`, startTime: day(date) }));
    assert.match(await client.run('EXP CDR FORMAT=CSV FILE=cdr.csv'), /Rows += {2}3\r\n/);
    const ids = readFileSync(inside('cdr.csv'), 'utf8').match(/^R\d+/gm);
    assert.deepEqual(ids, ['R18', 'R19', 'R20']);
    assert.match(
      await client.run('EXP CDR: LAYOUT=CLASSIC, DATE=2026-11-19, FILE=old.csv'),
      /Rows += {2}1\r\n/,
    );
    assert.match(readFileSync(inside('old.csv'), 'utf8'), /^record_id,record_type,/);
    assert.match(await client.run('EXP CDR'), /File += {2}\S+cdr-\d{8}-\d{6}\.csv\r\n/);
    assert.match(await client.run('CLR CDR BEFORE=2026-11-19'), /RETCODE = 3003 /);
    assert.match(await client.run('CLR CDR BEFORE=2026-11-19 CONFIRM=YES'), /Records removed: 1/);
    assert.deepEqual(
      services.recordList.map(({ id }) => id),
      ['R20', 'R19'],
    );
  });

  it('CHK OPLOG finds what was changed on disk, EXP OPLOG writes the log, secrets masked', async () => {
    await client.run('ADD USER: USERNAME=5100, PASSWORD=hush-hush');
    const report = await client.run('CHK OPLOG');
    const [, n, hash] = /Newest += {2}(\d+)\r\n {2}Its hash += {2}(\S+)\r\n/.exec(report)!;
    assert.match(await client.run(`CHK OPLOG: N=${n}, HASH="${hash}"`), /RETCODE = 0 /);
    assert.match(await client.run('EXP OPLOG: FILE=oplog.csv'), /RETCODE = 0 /);
    const csv = readFileSync(inside('oplog.csv'), 'utf8');
    assert.match(csv, /^time,n,operator,/);
    assert.match(csv, /,admin,ADMIN,\S+,0,[\d.]+,"ADD USER: USERNAME=5100, PASSWORD=\*{6}"\r\n/);
    assert.doesNotMatch(csv, /hush/);
    const log = join(server.directory, 'oplog', 'oplog.jsonl');
    const kept = readFileSync(log, 'utf8');
    writeFileSync(log, kept.replace('USERNAME=5100', 'USERNAME=5101'));
    assert.match(
      await client.run('CHK OPLOG'),
      /RETCODE = 4007 .*1 faults, the first in oplog\.jsonl line \d+: entry \d+ was changed/,
    );
    writeFileSync(log, kept);
  });

  it('EXP CFG and IMP CFG carry settings over; LST CFG hides secrets', async () => {
    assert.match(await client.run('SET CFG: KEY=MAX_CALLS, VALUE=77'), /In force += {2}now\r\n/);
    assert.match(await client.run('EXP CFG: FILE=ims.yaml'), /Rows += {2}1\r\n/);
    assert.equal(readFileSync(inside('ims.yaml'), 'utf8'), 'MAX_CALLS: "77"\n');
    assert.match(await client.run('RMV CFG: KEY=MAX_CALLS'), /Value += {2}5000\r\n/);
    assert.match(await client.run('IMP CFG: FILE=ims.yaml'), /RETCODE = 3003 /);
    assert.match(
      await client.run('IMP CFG: FILE=ims.yaml, CONFIRM=YES'),
      /MAX_CALLS\r\n {2}Value += {2}77\r\n/,
    );
    assert.equal(services.settings.config.MAX_CALLS, 77);
    writeFileSync(inside('bad.yaml'), 'MAX_CALLS: 78\nNO_SUCH: 1\n');
    assert.match(await client.run('IMP CFG: FILE=bad.yaml, CONFIRM=YES'), /RETCODE = 2010 .*NO_SUCH/);
    assert.equal(services.settings.config.MAX_CALLS, 77);
    assert.match(await client.run('LST CFG: KEY=MAX_CALLS'), /From += {2}stored\r\n[\s\S]*at once\r\n/);
    assert.match(
      await client.run('SET CFG: KEY=RTP_PORTS, VALUE=40000-40999'),
      /In force += {2}at the next start/,
    );
    assert.match(await client.run('LST CFG: KEY=RTP_PORTS'), /After the next start += {2}40000-40999\r\n/);
    assert.match(
      await client.run('SET CFG: KEY=SIP_REALM, VALUE=example.com'),
      /RETCODE = 0 .*passwords are stored for their realm/,
    );
    assert.match(await client.run('RMV CFG: KEY=SIP_REALM'), /Value += {2}ims\r\n/);
    assert.match(await client.run('SET CFG: KEY=MAX_CALL, VALUE=1'), /RETCODE = 4001 .*MAX_CALLS/);
    assert.match(await client.run('SET CFG: KEY=STORE_URL, VALUE=x'), /RETCODE = 3007 .*secret/);
    assert.match(await client.run('SAVE CFG'), /RETCODE = 0 /);
  });
});
