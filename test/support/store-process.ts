/** A second process on a Store: reads commands from its parent, one a message, and answers each. */
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import type { Json } from '../../src/store/types.js';

const store = await openStore(process.argv[2]!, { dataDir: '/nowhere', log: silentLogger });

/** What the parent may ask: write a key (with mode create), write many keys one by one, read a key. */
type Command =
  | { do: 'put'; key: string; value: Json }
  | { do: 'count'; prefix: string; times: number }
  | { do: 'get'; key: string };

async function obey(command: Command): Promise<unknown> {
  const users = store.collection('users');
  switch (command.do) {
    case 'put':
      return await users.put(command.key, command.value, 'create');
    case 'get':
      return await users.get(command.key);
    case 'count': {
      let written = 0;
      for (let i = 0; i < command.times; i++)
        if (await users.put(`${command.prefix}${i}`, i, 'create')) written++;
      return written;
    }
  }
}

process.on('message', (command: Command) => {
  obey(command).then(
    (result) => process.send!({ result }),
    (error: Error) => process.send!({ error: error.message }),
  );
});
process.on('disconnect', () => {
  store.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.send!({ ready: true });
