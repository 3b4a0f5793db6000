import type { StoredOperators } from '../accounts/stored-operators.js';
import type { StoredUsers } from '../accounts/stored-users.js';
import type { RunningServer } from './running-server.js';
import type { ServerContext } from './server-context.js';

/** `userCount` is 0 while the Store is away. */
export type PreparedAccounts = Pick<RunningServer['facts'], 'userCount' | 'generatedPassword'>;

/** A new Store gets its first operator; a Store that is away is no reason not to take calls. */
export async function prepareAccounts(
  { config, logs }: ServerContext,
  users: StoredUsers,
  operators: StoredOperators,
): Promise<PreparedAccounts> {
  let password = {};
  try {
    const { generatedPassword } = await operators.ensureAdmin(config.ADMIN_PASSWORD);
    if (generatedPassword !== undefined) password = { generatedPassword };
    return { userCount: await users.count(), ...password };
  } catch (error) {
    const text = 'the Store is away; starting on what is known, operators cannot log in until it is back';
    logs.for('app').warn({ err: error }, text);
    return { userCount: 0, ...password };
  }
}
