// What a relay answers on its control socket, word for word: the built-in one, and a real RTPProxy where RTPPROXY_URL
// names one (over UDP), so that the one can stand in for the other.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startRelay } from '../../src/media/relay/start-relay.js';
import { systemClock } from '../../src/platform/clock.js';
import { silentLogger } from '../../src/platform/logger.js';
import { ControlClient } from '../support/control-client.js';
import { freePorts } from '../support/free-ports.js';

interface Subject {
  readonly name: string;
  start(): Promise<{ url: string; stop(): Promise<void> }>;
}

const realUrl = process.env['RTPPROXY_URL'];
const subjects: Subject[] = [
  {
    name: 'built-in relay',
    start: async () => {
      const relay = await startRelay({
        control: ['udp:127.0.0.1:0'],
        bindAddress: '127.0.0.1',
        ports: await freePorts(60),
        clock: systemClock,
        log: silentLogger,
      });
      return { url: relay.controlUrls[0]!, stop: () => relay.close() };
    },
  },
];
if (realUrl?.startsWith('rtpproxy+udp:')) {
  subjects.push({
    name: `RTPProxy at ${realUrl}`,
    start: async () => ({ url: realUrl, stop: async () => {} }),
  });
}

/** Commands that need no session, and their replies. */
const ANSWERS: readonly (readonly [string, string | RegExp])[] = [
  ['V', '20040107'],
  ['v', '20040107'],
  ['VF 20040107', '1'],
  ['VF 20050322', '1'],
  ['VF 20081102', '1'],
  ['VF 19990101', '0'],
  ['VF abc', '0'],
  ['VF', 'E1'],
  ['V foo', 'E1'],
  ['V 1 2', 'E1'],
  ['Vx', 'E2'],
  ['Ix', 'E18'],
  ['I foo', 'E1'],
  [
    'I',
    /^sessions created: \d+\nactive sessions: \d+\nactive streams: \d+\npackets received: \d+\npackets transmitted: \d+\n?$/,
  ],
  ['Ib', /^sessions created: /],
  ['IBL', /\naverage load: \d+\.\d{6}\n?$/],
  ['G', ''],
  ['Gv', ''],
  ['Gv nsess_created ncmds_rcvd', /^nsess_created=\d+ ncmds_rcvd=\d+$/],
  ['G nsess_created nsess_destroyed nsess_timeout nsess_complete npkts_rcvd npkts_relayed', /^(\d+ ){5}\d+$/],
  ['G nosuch', 'E68'],
  ['Gx', 'E9'],
  ['Z', 'E0'],
  ['ZZ top', 'E0'],
  ['foo', 'E0'],
  ['U', 'E1'],
  ['U a b c', 'E1'],
  ['U a b c d e f g h', 'E1'],
  ['U x1 127.0.0.1 abc f', 'E37'],
  ['U x1 999.1.1.1 4000 f', 'E37'],
  ['U x1 host.invalid 4000 f', 'E37'],
  ['U? x1 127.0.0.1 4000 f', 'E35'],
  ['UT30 x1 127.0.0.1 4000 f', 'E35'],
  ['UI x1 127.0.0.1 4000 f', 'E12'],
  ['UE x1 127.0.0.1 4000 f', 'E11'],
  ['Uc x1 127.0.0.1 4000 f', 'E14'],
  ['Ul x1 127.0.0.1 4000 f', 'E15'],
  ['Ur x1 127.0.0.1 4000 f', 'E16'],
  ['U6 x1 ::1 4000 f', 'E36'],
  ['Ul192.0.2.1 x1 127.0.0.1 4000 f', 'E72'],
  ['U x1 127.0.0.1 4000 f t udp:127.0.0.1:9999 abc', 'E75'],
  ['L', 'E1'],
  ['L nosuch 127.0.0.1 4000 f', '0'],
  ['L nosuch 127.0.0.1 4000 f t', '0'],
  ['L nosuch 127.0.0.1 4000 f t x', 'E1'],
  ['D', 'E1'],
  ['D nosuch', 'E1'],
  ['D nosuch f', 'E50'],
  ['D nosuch f t', 'E50'],
  ['D nosuch f t x', 'E1'],
  ['Dx nosuch f t', 'E8'],
  ['Q', 'E1'],
  ['Q nosuch f', 'E50'],
  ['Q nosuch f t', 'E50'],
  ['P nosuch /tmp/none PCMU f t', 'E50'],
  ['S nosuch f t', 'E50'],
  ['Sx nosuch f t', 'E2'],
  ['R nosuch f t', 'E50'],
  ['C nosuch x f t', 'E50'],
  ['N nosuch f t', 'E50'],
  ['X foo', 'E1'],
  ['Xa', 'E2'],
  ['D nosuch f && Q', 'E3'],
  ['V && V', 'E3'],
];

for (const subject of subjects) {
  describe(`RTPProxy control protocol: ${subject.name}`, () => {
    let control: ControlClient;
    let stop: () => Promise<void>;
    const unique = `${process.pid}-${Date.now()}`;

    before(async () => {
      const started = await subject.start();
      stop = started.stop;
      control = await ControlClient.open(started.url);
    });
    after(async () => {
      control.close();
      await stop();
    });

    it('answers commands without a session, and bad ones with the right number', async () => {
      for (const [line, expected] of ANSWERS) {
        const reply = await control.command(line);
        if (typeof expected === 'string') assert.equal(reply, expected, line);
        else assert.match(reply, expected, line);
      }
    });

    it('gives a repeated cookie the reply of its first command, whatever is asked', async () => {
      const cookie = `same${unique}`;
      const first = await control.raw(`${cookie} U cookie-${unique} 127.0.0.1 4000 f`);
      assert.equal(await control.raw(`${cookie} U cookie-${unique} 127.0.0.1 4000 f`), first);
      assert.equal(await control.raw(`${cookie} V`), first);
      assert.equal(await control.raw(`d${cookie} D cookie-${unique} f`), `d${cookie} 0\n`);
      assert.equal(await control.raw(`d${cookie} D cookie-${unique} f`), `d${cookie} 0\n`);
    });

    it('forgives spaces and line ends, and answers a datagram that holds no command', async () => {
      assert.equal(await control.raw(`a${unique}  V\r\n`), `a${unique} 20040107\n`);
      assert.equal(await control.raw(`b${unique} V\n`), `b${unique} 20040107\n`);
      assert.equal(await control.raw(`c${unique}`), `c${unique} E5\n`);
      assert.equal(await control.raw('\n'), 'E5\n');
      assert.equal(await control.raw(`d${unique} ${'x '.repeat(30)}`), `d${unique} E5\n`);
    });

    it('keeps a port for each side, whoever asks', async () => {
      const id = `sides-${unique}`;
      const toB = await control.port(`U ${id} 127.0.0.1 4000 f;1`);
      assert.equal(toB % 2, 0);
      assert.equal(await control.port(`U ${id} 127.0.0.1 4000 f;1`), toB, 'update');
      assert.equal(await control.command(`Q ${id} f;1 t;1`), '60 0 0 0 0');
      const toA = await control.port(`L ${id} 127.0.0.1 5000 f;1 t;1`);
      assert.notEqual(toA, toB);
      assert.equal(await control.port(`L ${id} 127.0.0.1 5000 f;1 t;1`), toA, 'answer again');
      assert.equal(await control.port(`U ${id} 127.0.0.1 5002 t;1 f;1`), toA, 'the callee offers');
      assert.equal(await control.port(`L ${id} 127.0.0.1 4002 t;1 f;1`), toB, 'and the caller answers');
      assert.equal(await control.command(`D ${id} f t`), '0');
      assert.equal(await control.command(`Q ${id} f;1 t;1`), 'E50');
    });

    it('tells streams of a call apart, and deletes them together', async () => {
      const id = `streams-${unique}`;
      const audio = await control.port(`U ${id} 127.0.0.1 4000 f;1`);
      const video = await control.port(`Uc96,97 ${id} 127.0.0.1 4002 f;2 t;2`);
      assert.notEqual(audio, video);
      assert.equal(await control.command(`Q ${id} f t`), 'E50', 'a stream number is part of the tag');
      assert.equal(await control.command(`D ${id} other`), 'E50');
      assert.equal(await control.command(`D ${id} f`), '0');
      assert.equal(await control.command(`Q ${id} f;2`), 'E50');
      assert.equal(await control.command(`D ${id} f`), 'E50');
    });

    it('answers Q in all its forms', async () => {
      const id = `query-${unique}`;
      await control.port(`U ${id} 127.0.0.1 4000 f;1`);
      await control.port(`L ${id} 127.0.0.1 5000 f;1 t;1`);
      assert.equal(
        await control.command(`Qv ${id} f;1 t;1`),
        'ttl=60 npkts_ina=0 npkts_ino=0 nrelayed=0 ndropped=0',
      );
      assert.equal(await control.command(`Q ${id} f;1 t;1 ndropped ttl`), '0 60');
      assert.equal(await control.command(`Qv ${id} f;1 t;1 ttl npkts_ina`), 'ttl=60 npkts_ina=0');
      assert.equal(await control.command(`Q ${id} f;1 t;1 nosuchstat`), 'E62');
      assert.equal(await control.command(`Qx ${id} f;1 t;1`), 'E19');
      await control.command(`D ${id} f`);
    });

    it('keeps a weak session for its weak user', async () => {
      const id = `weak-${unique}`;
      await control.port(`Uw ${id} 127.0.0.1 4000 f;1`);
      await control.port(`Lw ${id} 127.0.0.1 5000 f;1 t;1`);
      assert.equal(await control.command(`D ${id} f t`), '0');
      assert.equal(await control.command(`Q ${id} f;1 t;1`), '60 0 0 0 0');
      assert.equal(await control.command(`Dw ${id} f t`), '0');
      assert.equal(await control.command(`Q ${id} f;1 t;1`), '60 0 0 0 0');
      assert.equal(await control.command(`Dw ${id} t f`), '0');
      assert.equal(await control.command(`Q ${id} f;1 t;1`), 'E50');
    });

    it('takes odd addresses as RTPProxy does', async () => {
      const id = `odd-${unique}`;
      for (const [at, words] of ['a b', '0.0.0.0 4000', '127.0.0.1 0', '::1 4000'].entries()) {
        assert.ok((await control.port(`U ${id} ${words} f;${at}`)) > 0, words);
      }
      for (const options of ['a', 's', 'c0,8,101', 'r127.0.0.1', 'l127.0.0.1', 'W']) {
        assert.ok((await control.port(`U${options} ${id} 127.0.0.1 4000 f;${options}`)) > 0, options);
      }
      await control.command(`D ${id} f`);
    });

    it('gives a new port when one is asked for', async () => {
      const id = `new-${unique}`;
      const first = await control.port(`U ${id} 127.0.0.1 4000 f;1`);
      const second = await control.port(`Un ${id} 127.0.0.1 4000 f;1`);
      assert.notEqual(second, first);
      assert.equal(await control.port(`U ${id} 127.0.0.1 4000 f;1`), second);
      await control.command(`D ${id} f`);
    });

    it('counts sessions', async () => {
      const count = async (): Promise<number> =>
        Number(/active sessions: (\d+)/.exec(await control.command('I'))![1]);
      const before = await count();
      await control.port(`U count-${unique} 127.0.0.1 4000 f`);
      assert.equal(await count(), before + 1);
      await control.command(`D count-${unique} f`);
      assert.equal(await count(), before);
    });
  });
}
