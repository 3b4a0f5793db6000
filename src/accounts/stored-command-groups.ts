import { type Clock, systemClock } from '../platform/clock.js';
import type { Collection, Store } from '../store/types.js';
import { checkUsername, isUsername } from './account-rules.js';
import { AccountError } from './errors.js';
import type { CommandGroup, CommandGroupInput, CommandGroupService } from './types.js';

/** Most groups, patterns of one, and characters of its description. */
const MAX_GROUPS = 200;
const MAX_COMMANDS = 100;
const MAX_NOTE_LENGTH = 128;

/** Command groups in the Store's collection `cmdgroups`. */
export class StoredCommandGroups implements CommandGroupService {
  private readonly groups: Collection;
  private readonly clock: Clock;

  constructor(options: { readonly store: Store; readonly clock?: Clock }) {
    this.groups = options.store.collection('cmdgroups');
    this.clock = options.clock ?? systemClock;
  }

  async list(): Promise<CommandGroup[]> {
    const entries = await this.groups.list({ limit: MAX_GROUPS });
    return entries.map(({ value }) => value as unknown as CommandGroup);
  }

  async get(name: string): Promise<CommandGroup | undefined> {
    if (!isUsername(name)) return undefined;
    return (await this.groups.get(name)) as unknown as CommandGroup | undefined;
  }

  async add(name: string, commands: readonly string[], note = ''): Promise<CommandGroup> {
    checkUsername(name);
    check({ commands, note });
    if ((await this.groups.count()) >= MAX_GROUPS)
      throw new AccountError('FIELD_INVALID', `there are ${MAX_GROUPS} command groups already`);
    const now = this.clock.now();
    const group = { name, commands: [...new Set(commands)], note, createdAt: now, changedAt: now };
    if (!(await this.groups.put(name, group, 'create')))
      throw new AccountError('CMDGROUP_EXISTS', `command group ${name} exists`, { name });
    return group;
  }

  async modify(name: string, input: CommandGroupInput): Promise<CommandGroup> {
    check(input);
    const before = await this.get(name);
    const { commands = before?.commands ?? [], note = before?.note ?? '' } = input;
    const group = before && {
      ...before,
      commands: [...new Set(commands)],
      note,
      changedAt: this.clock.now(),
    };
    if (!group || !(await this.groups.put(name, group, 'update'))) throw unknownGroup(name);
    return group;
  }

  async remove(name: string): Promise<void> {
    if (!isUsername(name) || !(await this.groups.remove(name))) throw unknownGroup(name);
  }

  async commandsOf(names: readonly string[]): Promise<readonly string[]> {
    const found = await Promise.all(names.map((name) => this.get(name)));
    return [...new Set(found.flatMap((group) => group?.commands ?? []))];
  }
}

function check({ commands, note }: CommandGroupInput): void {
  if (commands && (commands.length === 0 || commands.length > MAX_COMMANDS))
    throw new AccountError('FIELD_INVALID', `a command group has 1 to ${MAX_COMMANDS} commands`);
  if (note !== undefined && note.length > MAX_NOTE_LENGTH)
    throw new AccountError('FIELD_INVALID', `a description has ${MAX_NOTE_LENGTH} characters at most`);
}

/** An operator cannot be given a group that there is none of. */
export function unknownGroup(name: string): AccountError {
  const shown = name.slice(0, 64);
  return new AccountError('CMDGROUP_UNKNOWN', `there is no command group ${shown}`, { name: shown });
}
