import type { LoggedInOperator } from '../../accounts/types.js';
import { MmlError } from '../errors.js';
import { printable } from '../report/printable.js';
import type { ConsoleCore } from './console-core.js';
import { toMmlError } from './error-mapping.js';

/**
 * Checks an operator's password; either way the operation log has it. Rejects with MmlError 3005 (wrong) or 3006 (the
 * address must wait), or with what the Store says.
 */
export function loginOperator(
  core: ConsoleCore,
  name: string,
  password: string,
  address: string,
): Promise<LoggedInOperator> {
  return logged(core, name, address, () => core.gate.login(name, password, address));
}

/** The same for an operator who has proven its public key. */
export function admitOperator(core: ConsoleCore, name: string, address: string): Promise<LoggedInOperator> {
  return logged(core, name, address, async () => {
    const operator = await core.services.operators.admit(name, address);
    if (!operator) throw new MmlError(3005);
    return operator;
  });
}

async function logged(
  core: ConsoleCore,
  name: string,
  address: string,
  login: () => Promise<LoggedInOperator>,
): Promise<LoggedInOperator> {
  const entry = { at: core.clock.now(), address, session: 0, command: 'LGI' };
  const started = core.clock.monotonic();
  const took = () => ({ durationMs: Math.round(core.clock.monotonic() - started) });
  try {
    const operator = await login();
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
