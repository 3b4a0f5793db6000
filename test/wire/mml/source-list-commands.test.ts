import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole, WireClient } from '../../support/mml-console.js';
import { mmlTestServices } from '../../support/mml-services.js';

/** Commands in this order, and what their reports hold. */
const SCRIPT: readonly (readonly [string, RegExp])[] = [
  ['LST BLACKLIST', /Number of results = 0/],
  ['ADD BLACKLIST: IP=192.0.2.7', /Address += {2}192\.0\.2\.7\r\n[\s\S]*Until += {2}-\r\n *By += {2}admin/],
  [
    'ADD BLACKLIST IP=192.0.2.7',
    /RETCODE = 3007 .*192\.0\.2\.7 is in the list already; take it out with RMV/,
  ],
  [
    'ADD BLACKLIST: IP=198.51.100.9/24, FOR=1d, REASON="scans, and more"',
    /198\.51\.100\.0\/24[\s\S]*scans, and more/,
  ],
  ['ADD BLACKLIST: ADDRESS=2001:DB8:0:0::1', /2001:db8::1/],
  ['ADD BLACKLIST: IP=example.com', /RETCODE = 2003/],
  ['ADD BLACKLIST: IP=192.0.2.7/33', /RETCODE = 2003/],
  ['ADD BLACKLIST: IP=192.0.2.8, FOR=0s', /RETCODE = 2004/],
  ['ADD BLACKLIST', /RETCODE = 2002/],
  ['ADD BLACKLIST: IP=127.0.0.9', /RETCODE = 0[\s\S]*SIP_TRUSTED has this address/],
  ['DSP BLACKLIST', /Number of results = 4/],
  ['LST BLACKLIST: IP=198.51.100.200', /198\.51\.100\.0\/24[\s\S]*results = 1/],
  ['LST BLACKLIST: BY=SERVER', /results = 0/],
  [
    'LST BLACKLIST: LIMIT=2',
    /127\.0\.0\.9[\s\S]*192\.0\.2\.7[\s\S]*results = 2\)\r\nMore follow: repeat with AFTER=192\.0\.2\.7/,
  ],
  ['LST BLACKLIST: AFTER=192.0.2.7', /198\.51\.100\.0\/24[\s\S]*2001:db8::1[\s\S]*results = 2/],
  ['RMV BLACKLIST IP=127.0.0.9', /RETCODE = 0/],
  [
    'RMV BLACKLIST: IP=198.51.100.200',
    /RETCODE = 4001 .*No such entry: 198\.51\.100\.200.*networks that an address is in/,
  ],
  ['ADD WHITELIST: IP=198.51.100.7, REASON=office', /White list[\s\S]*198\.51\.100\.7/],
  ['ADD BLACKLIST: IP=198.51.100.7', /white list has this address/],
  ['LST WHITELIST', /198\.51\.100\.7 .*office/],
  [
    'IMP BLACKLIST: FILE=list.txt, REASON=old',
    /Added += {2}2\r\n *There already += {2}1\r\n *Refused += {2}1[\s\S]*4 +nonsense is no address/,
  ],
  ['IMP WHITELIST: FILE=nowhere.txt', /RETCODE = 4001/],
  ['LST BLACKLIST: IP=203.0.113.5', /203\.0\.113\.0\/24 [\s\S]*old/],
  ['EXP BLACKLIST: FILE=out.txt', /out\.txt[\s\S]*6/],
  ['EXP BLACKLIST: FILE=out.txt', /RETCODE = (?!0)/],
  ['IMP BLACKLIST: FILE=out.txt', /Added += {2}0\r\n *There already += {2}6\r\n *Refused += {2}0/],
  ['RMV WHITELIST: IP=198.51.100.7', /RETCODE = 0/],
  ['DSP ATTACK STAT', /Wrong passwords += {2}0[\s\S]*Dropped over SIP_SOURCE_RATE += {2}7/],
  ['DSP ATTACK', /Attacks\r\n-+/],
  ['DSP ATTACK STAT BANNED LIMIT=5', /RETCODE = 0/],
];

describe('console commands on the black and the white list', { timeout: 60_000 }, () => {
  let server: TestConsole;
  let client: WireClient;
  const clients: WireClient[] = [];
  const open = async (operator: string): Promise<WireClient> => {
    const next = await WireClient.open(server.port);
    clients.push(next);
    await next.login(operator);
    return next;
  };
  before(async () => {
    server = await startTestConsole(mmlTestServices());
    await mkdir(join(server.directory, 'exchange'), { recursive: true });
    const list = '# old server\n192.0.2.7\n203.0.113.0/24 # theirs\nnonsense\n10.9.9.9\n';
    await writeFile(join(server.directory, 'exchange', 'list.txt'), list);
    client = await open('admin');
  });
  after(async () => {
    for (const one of clients) one.close();
    await server.close();
  });

  for (const [command, expected] of SCRIPT)
    it(command, async () => {
      assert.match(await client.run(command), expected);
    });

  it('guests may look, but not change', async () => {
    const guest = await open('guest');
    assert.match(await guest.run('LST BLACKLIST'), /RETCODE = 0/);
    assert.match(await guest.run('ADD BLACKLIST: IP=192.0.2.9'), /RETCODE = 3002/);
    assert.match(await guest.run('RMV WHITELIST: IP=192.0.2.9'), /RETCODE = 3002/);
    const operator = await open('oper');
    assert.match(await operator.run('ADD BLACKLIST: IP=192.0.2.9'), /RETCODE = 0[\s\S]*By += {2}oper/);
  });

  it('speaks Chinese and JSON', async () => {
    await client.run('SET SESSION: LANG=ZH');
    assert.match(await client.run('ADD BLACKLIST: IP=127.0.0.10'), /黑名单[\s\S]*该地址属于 SIP_TRUSTED/);
    client.send('SET SESSION: FORMAT=JSON, LANG=EN\n');
    await client.until(/"retcode":0[^\n]*\n/);
    client.send('LST BLACKLIST: IP=198.51.100.0/24, BY=OPERATOR\n');
    const { reports } = JSON.parse(await client.until(/\{[^\n]*\n/)) as {
      reports: { name: string; rows: { source: string; expiresAt: string | null }[] }[];
    };
    assert.equal(reports[0]?.name, 'blacklist');
    assert.equal(reports[0]?.rows[0]?.source, '198.51.100.0/24');
    assert.match(String(reports[0]?.rows[0]?.expiresAt), /^\d{4}-\d\d-\d\dT/);
  });
});
