import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Mailbox } from '../../src/messaging/mailbox.js';
import type { Letter } from '../../src/messaging/types.js';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/types.js';
import { startRedis } from '../support/redis-server.js';

function letter(recipient: string, id: string, expiresAt = 1000): Letter {
  return {
    id,
    sender: '1001',
    recipient,
    recipientSince: 0,
    callId: `call-${id}`,
    cseq: 1,
    senderUri: 'sip:1001@ims',
    dialled: recipient,
    address: '::1',
    port: 5060,
    transport: 'udp',
    headers: { From: '"李四" <sip:1001@ims>' },
    body: 'two\r\nlines 😀',
    receivedAt: 0,
    expiresAt,
  };
}

for (const name of ['lmdb', 'redis'])
  describe(`mailbox on ${name}`, () => {
    let directory: string;
    let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
    let store: Store;
    let now = 0;
    const mailbox = (maxWaiting = 3, maxTotal = 100): Mailbox =>
      new Mailbox(store.collection('messages'), { maxWaiting, maxTotal }, () => now);
    const ids = async (username: string): Promise<string[]> =>
      (await mailbox().waiting(username)).map(({ id }) => id);
    const open = (): Promise<Store> =>
      openStore(redis?.url ?? `embedded:${directory}`, { dataDir: directory, log: silentLogger });

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'ims-mailbox-'));
      if (name === 'redis') redis = await startRedis();
      store = await open();
    });
    after(async () => {
      await store?.close();
      await redis?.close();
      await rm(directory, { recursive: true, force: true });
    });

    it('keeps letters whole and in order, those of each user apart, over a restart', async () => {
      for (const one of [letter('10', 'B'), letter('10', 'A'), letter('100', 'C')]) await mailbox().put(one);
      await store.close();
      store = await open();
      assert.deepEqual(await mailbox().waiting('10'), [letter('10', 'A'), letter('10', 'B')]);
      assert.deepEqual(await ids('100'), ['C']);
      await mailbox().remove(letter('10', 'A'));
      assert.deepEqual(await ids('10'), ['B']);
      assert.equal(await mailbox().has(letter('10', 'A')), false);
    });

    it('takes no more than its limits, however many come at once', async () => {
      const box = mailbox();
      const puts = ['1', '2', '3', '4', '5'].map((id) => box.put(letter('20', id)));
      const done = await Promise.allSettled(puts);
      assert.equal(done.filter(({ status }) => status === 'fulfilled').length, 3);
      await assert.rejects(mailbox(100, 5).put(letter('21', '1')), { refusal: 'mailbox-full' });
      await assert.rejects(mailbox(0).put(letter('22', '1')), { refusal: 'callee-unreachable' });
    });

    it('forgets what has expired, and has room again', async () => {
      await mailbox().put(letter('30', '1', 10));
      await mailbox().put(letter('31', '1', 10));
      now = 11;
      assert.deepEqual(await ids('30'), []);
      assert.equal(await mailbox().sweep(), 1);
      assert.equal(await mailbox().has(letter('31', '1')), false);
      now = 0;
    });
  });
