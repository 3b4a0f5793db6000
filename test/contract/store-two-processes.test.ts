import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Json } from '../../src/store/types.js';
import { openTempStore } from '../support/temp-store.js';

const SCRIPT = fileURLToPath(new URL('../support/store-process.js', import.meta.url));

async function ask(child: ChildProcess, command: Json): Promise<unknown> {
  child.send(command as object);
  const [answer] = (await once(child, 'message')) as [{ result?: unknown; error?: string }];
  assert.equal(answer.error, undefined);
  return answer.result;
}

describe('two processes on one LMDB directory', () => {
  let temp: Awaited<ReturnType<typeof openTempStore>>;
  let child: ChildProcess;
  const start = async () => {
    const started = fork(SCRIPT, [`embedded:${temp.directory}/store`]);
    await once(started, 'message');
    return started;
  };

  before(async () => {
    temp = await openTempStore();
    child = await start();
  });
  after(async () => {
    const exit = once(child, 'exit');
    child.disconnect();
    assert.deepEqual(await exit, [0, null]);
    await temp.close();
  });

  it('either sees at once what the other wrote', async () => {
    const users = temp.store.collection('users');
    assert.equal(await users.get('a'), undefined);
    assert.equal(await ask(child, { do: 'put', key: 'a', value: 'child' }), true);
    assert.equal(await users.get('a'), 'child');
    await users.put('a', 'parent');
    assert.equal(await ask(child, { do: 'get', key: 'a' }), 'parent');
    assert.equal(await ask(child, { do: 'put', key: 'a', value: 'child' }), false);
  });

  it('both write at once: each key is created once', async () => {
    const mine = async () => {
      let written = 0;
      for (let i = 0; i < 300; i++)
        if (await temp.store.collection('users').put(`k${i}`, i, 'create')) written++;
      return written;
    };
    const [a, b] = await Promise.all([mine(), ask(child, { do: 'count', prefix: 'k', times: 300 })]);
    assert.equal(a + (b as number), 300);
  });

  it('a process killed in the middle of writing holds nobody up', async () => {
    const victim = await start();
    victim.send({ do: 'count', prefix: 'v', times: 1_000_000 });
    const users = temp.store.collection('users');
    while ((await users.get('v20')) === undefined) await new Promise((resolve) => setImmediate(resolve));
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    assert.equal(await users.put('after', 1), true);
    assert.equal(await ask(child, { do: 'get', key: 'after' }), 1);
    assert.equal(await users.get('v20'), 20);
  });
});
