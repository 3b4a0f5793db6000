import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { parseUdpTable, UdpQueues } from '../../../src/engine/udp-queues.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ManualClock } from '../../support/manual-clock.js';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  101: 0100007F:13C4 00000000:0000 07 00000000:00034E00 00:00000000 00000000     0        0 7001 2 0000000000000000 42
  102: 0100007F:13C4 0200007F:2222 01 00000000:00000100 00:00000000 00000000     0        0 7002 2 0000000000000000 0
  103: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   105        0 7003 2 0000000000000000 9
`;

describe('what the kernel keeps of UDP', () => {
  test('the table is read for our ports alone', () => {
    assert.deepEqual(parseUdpTable(TABLE, new Set([5060])), [
      { inode: '7001', queuedBytes: 0x34e00, dropped: 42 },
      { inode: '7002', queuedBytes: 0x100, dropped: 0 },
    ]);
    assert.deepEqual(parseUdpTable('', new Set([5060])), []);
  });

  test('datagrams that nobody reads are seen waiting, then dropped', {
    skip: process.platform !== 'linux',
  }, async () => {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    const [deaf, speaker] = sockets;
    deaf.bind(0, '127.0.0.1');
    await once(deaf, 'listening');
    deaf.setRecvBufferSize(20_000);
    const { port } = deaf.address();
    const queues = new UdpQueues(new Set([port]), new ManualClock(), silentLogger);
    // The reader is this thread: while it sends synchronously nothing is read.
    speaker.bind(0, '127.0.0.1');
    await once(speaker, 'listening');
    speaker.connect(port, '127.0.0.1');
    await once(speaker, 'connect');
    const seen: number[] = [];
    for (let round = 0; round < 20 && queues.stats().dropped === 0; round++) {
      for (let i = 0; i < 500; i++) speaker.send(Buffer.alloc(1000));
      await queues.look();
      seen.push(queues.stats().queuedBytes);
    }
    assert.ok(queues.stats().dropped > 0, 'some were dropped');
    const { dropped } = queues.stats();
    await queues.look();
    assert.ok(queues.stats().dropped >= dropped);
    await queues.close();
    for (const socket of sockets) socket.close();
  });
});
