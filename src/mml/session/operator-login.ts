import type { LoggedInOperator } from '../../accounts/types.js';
import { printable } from '../report/printable.js';
import type { ConsoleCore } from './console-core.js';
import { toMmlError } from './error-mapping.js';

/**
 * Checks an operator's password; either way the operation log has it. Rejects with MmlError 3005 (wrong) or 3006 (the
 * address must wait), or with what the Store says.
 */
export async function loginOperator(
  core: ConsoleCore,
  name: string,
  password: string,
  address: string,
): Promise<LoggedInOperator> {
  const entry = { at: core.clock.now(), address, session: 0, command: 'LGI' };
  const started = core.clock.monotonic();
  const took = () => ({ durationMs: Math.round(core.clock.monotonic() - started) });
  try {
    const operator = await core.gate.login(name, password, address);
    core.operations.append({ ...entry, operator: operator.name, role: operator.role, retcode: 0, ...took() });
    return operator;
  } catch (error) {
    const { retcode } = toMmlError(error, 0);
    // Somebody may have typed the password in the place of the name: only its first characters are kept.
    const operator = `${printable(name.slice(0, 3))}…`;
    core.operations.append({ ...entry, operator, role: '', retcode, ...took() });
    throw error;
  }
}
