import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pcapFile } from '../../../src/trace/pcap.js';
import type { WireMessage } from '../../../src/trace/types.js';
import { missing, runToEnd } from '../../support/peers.js';
import { requestText, responseText } from '../../support/sip-text.js';

const SDP = {
  headers: ['Content-Type: application/sdp'],
  body: 'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\n',
};

describe('trace as a capture file', { skip: missing('tshark') }, () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ims-pcap-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const message = (given: Partial<WireMessage> & { text: string }): WireMessage => ({
    at: 1_700_000_000_123,
    mono: 0,
    sent: false,
    protocol: 'udp',
    local: '192.0.2.1:5060',
    peer: '192.0.2.7:5062',
    callId: 'x',
    ...given,
  });
  /** What tshark makes of it: a row a packet, the fields divided by tabs. */
  const decoded = async (messages: readonly WireMessage[], fields: readonly string[]): Promise<string[]> => {
    const file = join(directory, 'trace.pcap');
    await writeFile(file, Buffer.concat([...pcapFile(messages)]));
    const checks = ['ip', 'udp', 'tcp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const { status, output } = runToEnd(
      'tshark',
      ['-n', '-r', file, ...checks, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])],
      30_000,
    );
    assert.equal(status, 0, output);
    return output.split('\n').filter((line) => line !== '' && !line.startsWith('Running as'));
  };

  it('is SIP between the two addresses at their time, over UDP and IPv4', async () => {
    const invite = requestText({ method: 'INVITE', ...SDP });
    const rows = await decoded(
      [
        message({ text: invite }),
        message({ text: responseText(invite, 180), sent: true, at: 1_700_000_000_373.5 }),
      ],
      [
        'frame.time_epoch',
        'ip.src',
        'udp.srcport',
        'ip.dst',
        'udp.dstport',
        'sip.Method',
        'sip.Status-Code',
        'sdp.version',
        'udp.checksum.status',
        'ip.checksum.status',
      ],
    );
    assert.deepEqual(rows, [
      '1700000000.123000000\t192.0.2.7\t5062\t192.0.2.1\t5060\tINVITE\t\t0\t1\t1',
      '1700000000.373500000\t192.0.2.1\t5060\t192.0.2.7\t5062\t\t180\t\t1\t1',
    ]);
  });

  it('keeps the order of octets over TCP, also where a body was masked', async () => {
    const peer = '192.0.2.7:40001';
    const masked = requestText({
      method: 'MESSAGE',
      headers: ['Content-Type: text/plain'],
      body: 'a longer text',
    }).replace('a longer text', '(13 octets)');
    const rows = await decoded(
      [
        message({ text: masked, protocol: 'tcp', peer }),
        message({ text: responseText(masked, 200), sent: true, protocol: 'tcp', peer }),
        message({ text: requestText({ method: 'OPTIONS' }), protocol: 'tcp', peer }),
      ],
      ['tcp.srcport', 'sip.Method', 'sip.Status-Code', 'tcp.analysis.flags', 'tcp.checksum.status'],
    );
    assert.deepEqual(rows, ['40001\tMESSAGE\t\t\t1', '5060\t\t200\t\t1', '40001\tOPTIONS\t\t\t1']);
  });

  it('speaks IPv6, also to a peer that has an IPv4 address', async () => {
    const text = requestText({ method: 'REGISTER' });
    const rows = await decoded(
      [
        message({ text, local: '[2001:db8::1]:5060', peer: '[2001:db8::7]:5070' }),
        message({ text, local: '[::1]:5060', peer: '192.0.2.7:5070' }),
        message({ text, local: '[::ffff:192.0.2.1]:5060', peer: '192.0.2.7:5070' }),
        message({ text, local: '[2001:db8::1]:5060', peer: '[2001:db8::7]:5070', protocol: 'tcp' }),
      ],
      ['ipv6.src', 'ipv6.dst', 'ip.src', 'sip.Method', 'udp.checksum.status', 'tcp.checksum.status'],
    );
    assert.deepEqual(rows, [
      '2001:db8::7\t2001:db8::1\t\tREGISTER\t1\t',
      '::ffff:192.0.2.7\t::1\t\tREGISTER\t1\t',
      '\t\t192.0.2.7\tREGISTER\t1\t',
      '2001:db8::7\t2001:db8::1\t\tREGISTER\t\t1',
    ]);
  });

  it('shows what came over TLS and WebSocket in clear, at any port', async () => {
    const text = requestText({ method: 'INVITE', ...SDP });
    const ports = [
      ['tls', '192.0.2.1:5061'],
      ['tls', '192.0.2.1:15061'],
      ['ws', '192.0.2.1:80'],
      ['wss', '192.0.2.1:443'],
      ['wss', '192.0.2.1:7443'],
    ] as const;
    const rows = await decoded(
      ports.map(([protocol, local]) => message({ text, protocol, local, peer: '192.0.2.7:51002' })),
      ['udp.dstport', 'sip.Method', 'sdp.version'],
    );
    assert.deepEqual(
      rows,
      ports.map(([, local]) => `${local.split(':')[1]}\tINVITE\t0`),
    );
  });

  it('takes the longest message, and addresses it cannot read', async () => {
    const text = requestText({ headers: [`X-Filler: ${'x'.repeat(16_000)}`] });
    const rows = await decoded(
      [message({ text, local: 'nowhere', peer: '[fe80::1%eth0]:5060' })],
      ['ipv6.src', 'sip.Method'],
    );
    assert.deepEqual(rows, ['fe80::1\tOPTIONS']);
  });
});
