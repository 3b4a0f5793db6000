import type { Command } from '../registry/command.js';
import { sessionCommands } from './session-commands.js';
import { systemCommands } from './system-commands.js';
import { userCommands } from './user-commands.js';

/** Every command of the console. */
export const allCommands: readonly Command[] = [...userCommands, ...systemCommands, ...sessionCommands];
