import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { freeUdpPort } from '../support/free-port.js';
import { missing } from '../support/peers.js';
import { SipPeer } from '../support/sip-peer.js';
import { sippThrough, startCallee, subscriberLine } from '../support/sipp.js';
import { waitFor } from '../support/wait-for.js';

const DOCUMENT = readFileSync(
  join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docs', 'trunks.md'),
  'utf8',
);

/** The worked example of docs/trunks.md, run as it stands there but for the addresses. */
describe('trunks through a whole server, as docs/trunks.md has them', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  let alpha: SipPeer;
  let beta: SipPeer;
  let isOver = false;
  before(async () => {
    calls = await startCallServer();
    [a, b] = [await calls.phone('1001'), await calls.phone('1002')];
    const server = { address: '127.0.0.1', port: calls.server.udpPort };
    alpha = await SipPeer.open({ username: '+49401234', server });
    beta = await SipPeer.open({ username: 'beta', server });
    for (const gateway of [alpha, beta]) void answerAll(gateway, 'OPTIONS');
    void answerAll(beta, 'REGISTER');
  });
  after(async () => {
    isOver = true;
    await calls?.close();
    await Promise.all([alpha?.close(), beta?.close()]);
  });

  async function answerAll(gateway: SipPeer, method: string): Promise<void> {
    while (!isOver) {
      const request = await gateway.next(method, 60_000).catch(() => undefined);
      if (request) gateway.respond(request, 200, { headers: { Expires: '300' } });
    }
  }

  const here = (text: string): string =>
    text
      .replaceAll('192.0.2.7', `127.0.0.1:${alpha.port}`)
      .replaceAll('sip.beta.example', `127.0.0.1:${beta.port}`);

  /** Runs a command that is refused; resolves its RETCODE line. */
  async function refused(command: string): Promise<string> {
    const retcode = /RETCODE = .*/.exec(await calls.mml(command))?.[0] ?? '';
    assert.doesNotMatch(retcode, /^RETCODE = 0 /);
    return retcode;
  }

  test('the commands of the example work, and no report shows a password', async () => {
    const block = /```mml\n([\s\S]*?)```/.exec(DOCUMENT)?.[1] ?? '';
    // Everybody in this test is at the same address: only the port tells trunks from phones.
    const commands = block
      .trim()
      .split('\n')
      .map((line) => here(line).replace(/(ADDRESS=(127[^,]*)),/, '$1, SOURCES=$2,'));
    assert.ok(commands.length > 10);
    const reports = [
      await calls.mmlOk(...commands),
      await calls.mmlOk('LST TRUNK', 'LST TRUNK: NAME=beta', 'DSP TRUNK', 'LST ROUTE'),
    ];
    assert.doesNotMatch(reports.join('\n'), /s3cret/);
    assert.match(await calls.mmlOk('LST TRUNK: NAME=beta'), /Our password is set += +YES/);
    assert.match(await calls.mmlOk('LST TRANSLATION'), /\[\+\]4930555/);
    assert.doesNotMatch(await calls.mmlOk('LST OPLOG'), /s3cret/);
    assert.doesNotMatch(calls.server.output(), /s3cret/);
    await waitFor('the registration', async () => /registered/.test(await calls.mmlOk('DSP TRUNK')));
  });

  test('TST ROUTE says what the document says', async () => {
    const expected = /```\n( 1\. caller 1002[\s\S]*?)```/.exec(DOCUMENT)?.[1];
    assert.ok(expected, 'the document has the steps of a call of 1002');
    const report = await calls.mmlOk('TST ROUTE: FROM=1002, TO=0301234');
    for (const line of expected.trim().split('\n'))
      assert.ok(report.includes(line.trim()), `${line}\n${report}`);
    assert.match(report, /alpha: INVITE sip:\+49301234@127\.0\.0\.1/);
    assert.match(report, /alpha: P-Asserted-Identity: .*sip:\+49305551002@/);
  });

  test('TST ROUTE explains a call of a trunk, and refuses the address of nobody', async () => {
    const report = await calls.mmlOk('TST ROUTE: FROM=+49401234, TO=+49305551001, IP=127.0.0.1');
    assert.match(report, /127\.0\.0\.1 is trunk alpha/);
    assert.match(report, /alpha: called \+49305551001 becomes 1001 \(translation 4\)/);
    assert.match(report, /alpha: caller \+49401234 becomes 0401234 \(translation 5\)/);
    const other = await calls.mmlOk('TST ROUTE: FROM=+49401234, TO=1001, IP=198.51.100.1');
    assert.match(other, /no subscriber \+49401234: the caller would not pass its authentication/);
  });

  test('national: alpha, then beta after 503, and the record has both', async () => {
    const offer = b.sdp().replace('RTP/AVP 0', 'RTP/AVP 18 0 8');
    const invite = await b.invite('0301234', offer);
    const atAlpha = await alpha.next('INVITE');
    assert.match(atAlpha.get('p-asserted-identity') ?? '', /<sip:\+49305551002@/);
    assert.match(atAlpha.body.toString(), /^m=audio \d+ RTP\/AVP 8 0/m);
    alpha.respond(atAlpha, 503);
    const atBeta = await beta.next('INVITE');
    assert.match(atBeta.requestUri, /^sip:\+49301234@/);
    beta.respond(atBeta, 180);
    await b.response(invite, 180);
    beta.respond(atBeta, 200, { sdp: beta.sdp() });
    const ok = await b.response(invite, 200);
    await beta.next('ACK');
    const ended = b.bye(b.ack(invite, ok));
    await beta.expectBye();
    await ended;
    const [record] = await calls.recordsOf(invite.callId);
    assert.deepEqual(
      record?.attempts.map(({ trunk, sipStatus }) => [trunk, sipStatus]),
      [
        ['alpha', 503],
        ['beta', 200],
      ],
    );
    assert.deepEqual(
      [record?.trunkOut, record?.route, record?.direction, record?.result, record?.dialledNumber],
      ['beta', 'national', 'OUTBOUND', 'ANSWERED', '0301234'],
    );
    assert.match(await calls.mmlOk('LST CDR: LIMIT=1'), /0301234/);
  });

  test('international calls need the right, premium numbers are barred', async () => {
    for (const [phone, number, reason] of [
      [b, '0033123', 'outside-not-allowed'],
      [a, '0900123', 'destination-barred'],
    ] as const) {
      const invite = await phone.invite(number);
      phone.ackRefusal(invite, await phone.response(invite, 403));
      assert.equal((await calls.recordsOf(invite.callId))[0]?.releaseReason, reason);
    }
    const invite = await a.invite('0033123');
    const [gateway, atGateway] = await Promise.any([
      alpha.next('INVITE', 3000).then((request) => [alpha, request] as const),
      beta.next('INVITE', 3000).then((request) => [beta, request] as const),
    ]);
    assert.match(atGateway.requestUri, /^sip:\+33123@/);
    gateway.respond(atGateway, 404);
    a.ackRefusal(invite, await a.response(invite, 404));
    assert.equal((await calls.recordsOf(invite.callId))[0]?.attempts.length, 1);
  });

  test('a call of alpha rings 1001 with its number as users dial it', async () => {
    const invite = alpha.invitation('+49305551001');
    alpha.send(invite);
    const atA = await a.next('INVITE');
    assert.match(atA.get('from') ?? '', /<sip:0401234@/);
    a.respond(atA, 200, { sdp: a.sdp() });
    const ok = await alpha.response(invite, 200);
    await a.next('ACK');
    const dialog = alpha.ack(invite, ok);
    assert.match(await calls.mmlOk('DSP TRUNK: NAME=alpha'), /In += +1/);
    const ended = alpha.bye(dialog);
    await a.expectBye();
    await ended;
    const [record] = await calls.recordsOf(invite.callId);
    assert.deepEqual(
      [record?.trunkIn, record?.direction, record?.calleeNumber],
      ['alpha', 'INBOUND', '1001'],
    );
  });

  test('what cannot be is refused with a sentence that says why', async () => {
    assert.match(await refused('ADD TRUNK: NAME=alpha, ADDRESS=192.0.2.9'), /4002 .*alpha/);
    assert.match(await refused('ADD TRUNK: NAME=x, ADDRESS=192.0.2.9, SOURCES=0.0.0.0/0'), /SOURCES/);
    assert.match(
      await refused('ADD TRUNK: NAME=x, ADDRESS=192.0.2.9, REGISTER=YES'),
      /user name and a password/,
    );
    assert.match(await refused('ADD TRUNK: NAME=x, INUSER=1001, INPASSWORD="long enough"'), /1001/);
    assert.match(
      await refused('ADD TRANSLATION: TRUNK=alpha, DIR=OUT, KIND=REGEX, MATCH="(a", REPLACE=b'),
      /bracket/,
    );
    assert.match(await refused('ADD ROUTE: NAME=y, PREFIX=1, TRUNKS=nobody'), /4001 .*nobody/);
    assert.match(await refused('RMV TRUNK: NAME=alpha'), /leads to trunk alpha/);
    assert.match(await refused('MOD TRUNK: NAME=nobody, MAXCALLS=1'), /4001 .*nobody/);
    assert.match(await refused('RMV TRANSLATION: TRUNK=alpha, PLACE=99'), /4001/);
  });

  test('trunks, routes and translations are there after a restart, and can be removed', async () => {
    await calls.restart();
    assert.match(await calls.mmlOk('TST ROUTE: FROM=1002, TO=0301234'), /becomes \+49301234/);
    await waitFor('a new registration', async () => /registered/.test(await calls.mmlOk('DSP TRUNK')));
    await calls.mmlOk(
      'RMV ROUTE: NAME=world',
      'RMV ROUTE: NAME=national',
      'RMV TRUNK: NAME=alpha',
      'RMV TRUNK: NAME=beta',
    );
    assert.match(await calls.mmlOk('TST ROUTE: FROM=1002, TO=0301234'), /callee-unknown/);
  });
});

describe('trunks under some load', { skip: missing('sipp') }, () => {
  let calls: CallServer;
  before(async () => {
    calls = await startCallServer({ OUTSIDE_CALLS: '0', OUTSIDE_HOUR: '0', OUTSIDE_DAY: '0' });
  });
  after(() => calls?.close());

  test('RFC 3261 §22.2: sixty calls fail over to a gateway that asks for credentials, each leaves one right record', async () => {
    const [full, digest] = [await freeUdpPort(), await freeUdpPort()];
    await calls.mmlOk(
      `ADD TRUNK: NAME=full, ADDRESS=127.0.0.1:${full}, SOURCES="", OPTIONSSEC=0`,
      `ADD TRUNK: NAME=digest, ADDRESS=127.0.0.1:${digest}, SOURCES="", OPTIONSSEC=0, USER=acme, PASSWORD="carrier secret"`,
      'ADD ROUTE: NAME=out, PREFIX=0, TRUNKS=full:1&digest:2',
    );
    const gateways = [
      startCallee('uas-gateway-expect-failover', full),
      startCallee('uas-gateway-challenge-expect-credentials', digest),
    ];
    try {
      await sippThrough(calls.server, {
        scenario: 'uac-call-outside-expect-180-200',
        lines: [subscriberLine('1001', '1001-secret')],
        calls: 60,
        rate: 40,
        args: ['-s', '0301234', '-d', '300'],
      });
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
    }
    for (const record of await calls.records(60)) {
      const { result, trunkOut, route, attempts } = record;
      assert.deepEqual([result, trunkOut, route], ['ANSWERED', 'digest', 'out']);
      assert.deepEqual(
        attempts.map(({ trunk, sipStatus }) => [trunk, sipStatus]),
        [
          ['full', 503],
          ['digest', 200],
        ],
      );
    }
    assert.match(await calls.mmlOk('DSP TRUNK: NAME=digest'), /Out += +0/);
  });
});
