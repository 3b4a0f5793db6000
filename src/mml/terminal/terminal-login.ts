import type { MmlError } from '../errors.js';
import { MAX_LOGIN_TRIES } from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import { toMmlError } from '../session/error-mapping.js';
import { loginOperator } from '../session/operator-login.js';
import { ownerOf, type SessionOwner } from '../session/session-table.js';
import { type LineIo, readAnswer } from './line-reader.js';
import type { TerminalPort } from './terminal-port.js';

/**
 * Asks for name and password, up to MAX_LOGIN_TRIES times; undefined when nobody has logged in. `isEnded` tells whether
 * the session has ended meanwhile.
 */
export async function logIn(
  core: ConsoleCore,
  io: LineIo,
  isEnded: () => boolean,
): Promise<SessionOwner | undefined> {
  const { address, transport } = io.port;
  for (let tries = 0; tries < MAX_LOGIN_TRIES && !isEnded(); tries++) {
    try {
      core.gate.checkAddress(address);
      const name = await askForName(io);
      const password = name === undefined ? undefined : await readAnswer(io, PASSWORD);
      if (name === undefined || password === undefined) return undefined;
      const operator = await loginOperator(core, name.trim(), password, address);
      return ownerOf(operator, { address, transport });
    } catch (error) {
      const failure = toMmlError(error, 0);
      core.log.warn({ address, retcode: failure.retcode }, 'console login failed');
      sayRefusal(io.port, failure);
      if (failure.retcode === 3006) return undefined;
    }
  }
  return undefined;
}

/** Says what stands against a session, before it has a language. */
export function sayRefusal(port: TerminalPort, error: MmlError): void {
  port.write(`RETCODE = ${error.retcode}  ${error.sentence.en}\r\n`);
}

const NAME = { prompt: 'login: ', hidden: false };
const PASSWORD = { prompt: 'password: ', hidden: true };

async function askForName(io: LineIo): Promise<string | undefined> {
  for (;;) {
    const name = await readAnswer(io, NAME);
    if (name?.trim() !== '') return name;
  }
}
