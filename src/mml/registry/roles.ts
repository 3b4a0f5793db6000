import { ROLES, type Role } from '../../accounts/types.js';
import type { Command } from './command.js';

/** What somebody may run. */
export interface Rights {
  readonly role: Role;
  /** Patterns of commands from command groups, besides those of the role. */
  readonly grants: readonly string[];
}

/** Objects whose commands no group can give: who may change operators and groups could give itself everything. */
const ADMINS_ALONE = new Set(['OPERATOR', 'CMDGROUP']);

/** Whether a command may be run: by the role, each of which may do all that the ones before it may, or by a command group. */
export function mayRun(held: Rights, command: Command): boolean {
  if (ROLES.indexOf(held.role) >= ROLES.indexOf(command.role)) return true;
  return isGrantable(command) && held.grants.some((pattern) => matchesPattern(pattern, command));
}

/** Whether a command group can hold the command at all. */
export function isGrantable(command: Command): boolean {
  return !ADMINS_ALONE.has(command.object);
}

/** Whether a pattern names a command: word by word, `*` for any, words that are left out for any as well. */
export function matchesPattern(pattern: string, command: Command): boolean {
  const words = command.path.split(' ');
  return pattern
    .split(' ')
    .every((wanted, i) => words[i] !== undefined && (wanted === '*' || wanted === words[i]));
}
