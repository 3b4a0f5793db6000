import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { startRelay } from '../../../src/media/relay/start-relay.js';
import { parseRelayUrl } from '../../../src/media/rtpproxy/relay-url.js';
import { createRtpProxyRelay } from '../../../src/media/rtpproxy/rtpproxy-relay.js';
import { TcpChannel } from '../../../src/media/rtpproxy/tcp-channel.js';
import type { MediaRelay } from '../../../src/media/types.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { type Asked, ScriptedRelay } from '../../support/scripted-relay.js';
import { audioSdp, portsOf, videoSdp } from '../../support/sdp-samples.js';

const PEER = { signallingAddress: '127.0.0.1' };
const refused = { code: 'MEDIA_FAILED', sipStatus: 503 };

/** Answers as a sound relay would, with port 20000 up. */
function answer({ cookie, command, send }: Asked): void {
  const letter = command[0];
  if (command.startsWith('VF')) send(`${cookie} 0\n`);
  else if (letter === 'U' || letter === 'L')
    send(`${cookie} ${letter === 'U' ? 20_000 : 20_002} 198.51.100.9\n`);
  else send(`${cookie} 0\n`);
}

/** A UDP port of this machine that nobody listens on. */
async function deadPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

describe('RTPProxy client over UDP', () => {
  const open: { close(): Promise<void> }[] = [];

  async function scripted(script: (asked: Asked, count: number) => void): Promise<ScriptedRelay> {
    const relay = await ScriptedRelay.open(script);
    open.push(relay);
    return relay;
  }

  function client(...urls: string[]): MediaRelay {
    const relay = createRtpProxyRelay(urls, { clock: systemClock, log: silentLogger, address: '192.0.2.80' });
    open.push(relay);
    return relay;
  }

  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });

  it('sends a cookie, and repeats the command under the same one until it is answered', async () => {
    const relay = await scripted((asked, count) => count > 2 && answer(asked));
    const text = await client(relay.url).open('call-1').offer('a', audioSdp(4000), PEER);
    assert.deepEqual(portsOf(text), [20_000]);
    const [first, second, third] = relay.asked;
    assert.equal(first?.cookie, second?.cookie);
    assert.equal(second?.cookie, third?.cookie);
    assert.equal(new Set(relay.asked.map(({ cookie }) => cookie)).size, 2, 'one for VF, one for U');
    assert.equal(relay.commands.at(-1), 'U call-1 127.0.0.1 4000 a;0 b;0');
  });

  it('passes over a late, a foreign and a repeated reply', async () => {
    const relay = await scripted((asked, count) => {
      asked.send(`other${count} 1234\n`);
      asked.send(`${asked.cookie}x 1234\n`);
      answer(asked);
      asked.send(`${asked.cookie} 9999\n`);
    });
    const call = client(relay.url).open('call-2');
    assert.deepEqual(portsOf(await call.offer('a', audioSdp(4000), PEER)), [20_000]);
    assert.deepEqual(portsOf(await call.answer('b', audioSdp(5000), PEER)), [20_002]);
  });

  it('takes replies in any order', async () => {
    const held: Asked[] = [];
    const relay = await scripted((asked) => {
      if (!asked.command.startsWith('U')) return answer(asked);
      held.push(asked);
      if (held.length < 2) return undefined;
      for (const each of held.reverse())
        each.send(`${each.cookie} ${each.command.includes('a;1') ? 20_004 : 20_000}\n`);
      return undefined;
    });
    const text = await client(relay.url).open('call-3').offer('a', videoSdp(4000, 4002), PEER);
    assert.deepEqual(portsOf(text), [20_000, 20_004]);
  });

  it('puts the address of the reply into the description, and its own when there is none', async () => {
    const relay = await scripted((asked) =>
      asked.command.startsWith('L') ? asked.send(`${asked.cookie} 20002\n`) : answer(asked),
    );
    const call = client(relay.url).open('call-4');
    assert.match(await call.offer('a', audioSdp(4000), PEER), /^c=IN IP4 198\.51\.100\.9\r$/m);
    assert.match(await call.answer('b', audioSdp(5000), PEER), /^c=IN IP4 192\.0\.2\.80\r$/m);
  });

  it('fails the call on an error, on port 0 and on nonsense, never silently', async () => {
    for (const reply of [
      'E72',
      'E',
      '0',
      '',
      '70000',
      '-1',
      '20000 host.example',
      '20000 1.2.3.4.5',
      'yes',
      '\0\0',
    ]) {
      const relay = await scripted((asked) =>
        asked.command.startsWith('U') ? asked.send(`${asked.cookie} ${reply}\n`) : answer(asked),
      );
      const call = client(relay.url).open('call-5');
      await assert.rejects(call.offer('a', audioSdp(4000), PEER), refused, JSON.stringify(reply));
    }
  });

  it('fails in bounded time when the relay is silent, and deletes what it may have made', async () => {
    const relay = await scripted((asked) => {
      if (asked.command.startsWith('VF') || asked.command.startsWith('D')) answer(asked);
    });
    const call = client(relay.url).open('call-6');
    const beganMs = performance.now();
    await assert.rejects(call.offer('a', audioSdp(4000), PEER), refused);
    assert.ok(performance.now() - beganMs < 5_000);
    assert.deepEqual(await call.close(), []);
    await relay.until('D call-6 a b');
  });

  it('fails fast when the relay is not running, with no stray rejection', async () => {
    const call = client(`rtpproxy+udp://127.0.0.1:${await deadPort()}`).open('call-7');
    const beganMs = performance.now();
    await assert.rejects(call.offer('a', audioSdp(4000), PEER), refused);
    assert.ok(performance.now() - beganMs < 2_000);
    assert.deepEqual(await call.stats(), []);
    assert.deepEqual(await call.close(), []);
  });

  it('tries the next relay when one does not answer or is full, and stays with it', async () => {
    const full = await scripted((asked) =>
      asked.command.startsWith('U') ? asked.send(`${asked.cookie} E72\n`) : answer(asked),
    );
    const good = await scripted(answer);
    const relay = client(`rtpproxy+udp://127.0.0.1:${await deadPort()}`, full.url, good.url);
    for (const id of ['call-8', 'call-9', 'call-10']) {
      const call = relay.open(id);
      assert.deepEqual(portsOf(await call.offer('a', audioSdp(4000), PEER)), [20_000]);
      await call.answer('b', audioSdp(5000), PEER);
      await call.offer('b', audioSdp(5002), PEER);
    }
    assert.equal(good.commands.filter((command) => command.startsWith('L')).length, 3);
    assert.ok(good.commands.some((command) => /^U call-9\S* 127\.0\.0\.1 5002 b;0 a;0$/.test(command)));
    const health = await relay.health();
    assert.equal(health[0]?.alive, false);
  });

  it('takes a relay that does not tell its sessions as one that is there', async () => {
    const curt = await scripted(({ cookie, command, send }) =>
      send(`${cookie} ${command === 'V' ? '20040107' : 'E0'}\n`),
    );
    const [health] = await client(curt.url).health();
    assert.deepEqual(health, { name: curt.url, alive: true, version: '20040107' });
  });

  it('moves a call to another relay at the next offer when its own has died', async () => {
    const first = await scripted(answer);
    const second = await scripted(answer);
    const call = client(first.url, second.url).open('call-11');
    await call.offer('a', audioSdp(4000), PEER);
    await call.answer('b', audioSdp(5000), PEER);
    open.splice(open.indexOf(first), 1);
    await first.close();
    assert.deepEqual(portsOf(await call.offer('b', audioSdp(5000), PEER)), [20_000]);
    await call.answer('a', audioSdp(4000), PEER);
    assert.deepEqual(second.commands, [
      'U call-11.1 127.0.0.1 5000 b;0 a;0',
      'L call-11.1 127.0.0.1 4000 b;0 a;0',
    ]);
  });

  it('does not move a call from a relay that refuses a further stream', async () => {
    const first = await scripted((asked) =>
      asked.command.includes(';1') ? asked.send(`${asked.cookie} E72\n`) : answer(asked),
    );
    const second = await scripted(answer);
    const relay = client(first.url, second.url);
    const call = relay.open('call-12');
    await call.offer('a', audioSdp(4000), PEER);
    await call.answer('b', audioSdp(5000), PEER);
    await assert.rejects(call.offer('a', videoSdp(4000, 4002), PEER), refused);
    assert.deepEqual(second.commands, []);
    assert.deepEqual(portsOf(await call.offer('a', audioSdp(4000), PEER)), [20_000]);
  });

  it('repeats a delete when a relay that was silent is back', { timeout: 20_000 }, async () => {
    let isSilent = false;
    let noteDelete = (): void => {};
    const deleted = new Promise<void>((resolve) => {
      noteDelete = resolve;
    });
    const relay = await scripted((asked) => {
      if (isSilent) return;
      answer(asked);
      if (asked.command.startsWith('D')) noteDelete();
    });
    const call = client(relay.url).open('call-13');
    await call.offer('a', audioSdp(4000), PEER);
    isSilent = true;
    const [figures] = await call.close();
    assert.deepEqual(figures, { index: 0, kind: 'audio', relay: relay.url });
    isSilent = false;
    await deleted;
  });

  it('finds the extension again after another program took the address', async () => {
    let knows = true;
    const relay = await scripted((asked) => {
      if (asked.command.startsWith('VF')) asked.send(`${asked.cookie} ${knows ? 1 : 0}\n`);
      else if (/^Uh/.test(asked.command) && !knows) asked.send(`${asked.cookie} E35\n`);
      else answer(asked);
    });
    const call = client(relay.url).open('call-14');
    const behindNat = { signallingAddress: '127.0.0.9' };
    await call.offer('a', audioSdp(4000), behindNat);
    knows = false;
    await call.offer('a', audioSdp(4000), behindNat);
    await call.offer('a', audioSdp(4000), behindNat);
    assert.deepEqual(relay.commands, [
      'Uh127.0.0.9 call-14 127.0.0.1 4000 a;0 b;0',
      'Uh127.0.0.9 call-14 127.0.0.1 4000 a;0 b;0',
      'U call-14 127.0.0.1 4000 a;0 b;0',
      'U call-14 127.0.0.1 4000 a;0 b;0',
    ]);
  });

  it('RFC 3264 §6: rejects a stream over TCP and goes on with the rest; refuses an offer of nothing else', async () => {
    const relay = await scripted(answer);
    const call = client(relay.url).open('call-15');
    const message = 'm=message 7000 TCP/MSRP *\r\na=path:msrp://127.0.0.1:7000/x;tcp\r\n';
    assert.deepEqual(portsOf(await call.offer('a', audioSdp(4000) + message, PEER)), [20_000, 0]);
    assert.deepEqual(portsOf(await call.answer('b', audioSdp(5000) + message, PEER)), [20_002, 0]);
    const only = audioSdp(4000).replace(/m=audio[\s\S]*/, message);
    await assert.rejects(call.offer('a', only, PEER), { code: 'BAD_SDP', sipStatus: 488 });
  });
});

describe('RTPProxy client over TCP', () => {
  /** A server that hands its connections over. */
  async function tcpServer(serve: (socket: Socket) => void): Promise<{ port: number; close(): void }> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      serve(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = (): void => {
      server.close();
      for (const socket of sockets) socket.destroy();
    };
    return { port: (server.address() as { port: number }).port, close };
  }

  it('puts replies together however they are cut, several lines where the command has them', async () => {
    const replies = '1\nsessions created: 1\nactive sessions: 1\nc: 1\nd: 1\ne: 1\nE50\n3\n';
    const server = await tcpServer((socket) => {
      socket.once('data', () => {
        let at = 0;
        const next = (): void => {
          if (at < replies.length) socket.write(replies[at++]!, next);
        };
        next();
      });
    });
    const channel = new TcpChannel('127.0.0.1', server.port, systemClock);
    const got = await Promise.all([
      channel.send('V'),
      channel.send('I', 5),
      channel.send('I', 5),
      channel.send('V'),
    ]);
    assert.deepEqual(got, ['1', 'sessions created: 1\nactive sessions: 1\nc: 1\nd: 1\ne: 1', 'E50', '3']);
    await channel.close();
    server.close();
  });

  it('gives up a connection that closes, floods or is silent, and connects again', async () => {
    let count = 0;
    const server = await tcpServer((socket) => {
      count++;
      socket.on('data', () => {
        if (count === 1) socket.destroy();
        else if (count === 2) socket.write('x'.repeat(20_000));
        else if (count === 4) socket.write('20040107\n');
      });
    });
    const channel = new TcpChannel('127.0.0.1', server.port, systemClock);
    for (let i = 0; i < 3; i++) await assert.rejects(channel.send('V'), refused);
    assert.equal(await channel.send('V'), '20040107');
    await channel.close();
    await assert.rejects(channel.send('V'), refused);
    server.close();
  });
});

describe('relay URLs', () => {
  it('reads each kind', () => {
    assert.deepEqual(parseRelayUrl('rtpproxy+udp://media.example.com'), {
      name: 'rtpproxy+udp://media.example.com',
      kind: 'udp',
      host: 'media.example.com',
      port: 7722,
    });
    assert.equal((parseRelayUrl('rtpproxy+tcp://[2001:db8::1]:99') as { host: string }).host, '2001:db8::1');
    assert.equal(
      (parseRelayUrl('rtpproxy+unix:///run/rtpproxy.sock') as { path: string }).path,
      '/run/rtpproxy.sock',
    );
  });

  it('refuses others', () => {
    for (const url of [
      '',
      'udp:1.2.3.4:5',
      'rtpproxy://x',
      'rtpproxy+udp://x:0',
      'rtpproxy+udp://x:70000',
      'rtpproxy+unix://x',
    ]) {
      assert.throws(() => parseRelayUrl(url), { code: 'BAD_RELAY_URL' }, url);
    }
  });

  it('starts a relay for no other control socket', async () => {
    const options = { ports: { min: 24_300, max: 24_399 }, clock: systemClock, log: silentLogger };
    await assert.rejects(startRelay({ ...options, control: ['sctp:127.0.0.1:1'] }), {
      code: 'BAD_CONTROL_SOCKET',
    });
  });
});
