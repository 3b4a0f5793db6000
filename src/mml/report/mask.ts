import { maskUserinfo } from '../../config/userinfo.js';
import type { ParamValue, ParsedParam } from '../grammar/command-parser.js';
import { CONFIRM, canonicalName, keywordOwner } from '../registry/bind-params.js';
import { type Command, isSecret } from '../registry/command.js';
import { printable } from './printable.js';
import { secretStart } from './secret-words.js';

/** Stands for a secret in echo, log and history. */
export const MASK = '******';

/**
 * A command in its canonical form, `ADD USER: USERNAME=1001, PASSWORD=******`. What a command with secrets does not
 * declare is masked as well: it may be a secret under a mistyped name, or the rest of one that was not quoted.
 */
export function maskCommand(command: Command, params: readonly ParsedParam[], mask: string = MASK): string {
  const hasSecrets = Object.values(command.params).some((spec) => isSecret(spec, params));
  const shown = params.map((param) => {
    if (param.name === undefined) {
      return keywordOwner(command, param.value.text) || !hasSecrets ? param.value.text : mask;
    }
    const name = param.name === CONFIRM ? CONFIRM : canonicalName(command, param.name);
    const spec = name === undefined ? undefined : command.params[name];
    const isHidden = spec
      ? isSecret(spec, params) || (spec.holdsCommands && secretStart(param.value.text) !== undefined)
      : hasSecrets && name === undefined;
    return `${param.name}=${isHidden ? mask : maskUserinfo(writeValue(param.value), mask)}`;
  });
  return shown.length === 0 ? command.path : `${command.path}: ${shown.join(', ')}`;
}

/** Text that could not be parsed: from the first thing that looks like a secret on, all is masked. */
export function maskText(source: string): string {
  const start = secretStart(source);
  return printable(start === undefined ? source : `${source.slice(0, start)}${MASK}`);
}

/** A value as it would be written in a command. */
export function writeValue(value: ParamValue): string {
  return value.parts.map(quoteIfNeeded).join('&');
}

function quoteIfNeeded(part: string): string {
  if (part !== '' && /^[^\s,;&"=\\]+$/.test(part)) return part;
  return `"${part.replace(/["\\]/g, '\\$&')}"`;
}
