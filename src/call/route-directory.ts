import type { UserService } from '../accounts/types.js';
import type { Binding, RegistrationService } from '../registrar/types.js';
import type { CodeTable } from '../routing/feature-codes.js';
import type { OutsideQuestion, RouteDirectory } from '../routing/find-route.js';
import type { OutsideFacts } from '../routing/outside-types.js';
import type { CalleeFacts, HuntGroup, NumberEntry, RoomFacts } from '../routing/types.js';
import type { Call } from './call.js';
import type { CallRegistry } from './call-registry.js';
import type { ConferencePort } from './conference-port.js';
import type { TrunkPort } from './trunk-port.js';

/** Groups, short numbers and feature codes. Rejects with StoreError when the Store is away and nothing is remembered. */
export interface Numbering {
  entry(number: string): Promise<NumberEntry | undefined>;
  group(number: string): Promise<HuntGroup | undefined>;
  codes(): Promise<CodeTable>;
  /** The groups that a user is a member of. */
  groupsOf(username: string): Promise<HuntGroup[]>;
}

/** Most users and groups whose last answer or turn is remembered; beyond, the oldest is forgotten. */
const MAX_REMEMBERED = 50_000;

/** What this server remembers of calls for hunt groups; lost at a restart, and not shared between servers. */
export class HuntMemory {
  private readonly turns = new Map<string, number>();
  private readonly answers = new Map<string, number>();
  private answered = 0;

  turnOf(group: string): number {
    return this.turns.get(group) ?? 0;
  }

  /** A group had a call: the next one begins with the next member. */
  took(group: string): void {
    remember(this.turns, group, this.turnOf(group) + 1);
  }

  lastAnswer(username: string): number {
    return this.answers.get(username) ?? 0;
  }

  hasAnswered(username: string): void {
    this.answered += 1;
    remember(this.answers, username, this.answered);
  }
}

function remember(map: Map<string, number>, key: string, value: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value!);
}

export interface DirectoryParts {
  readonly users: Pick<UserService, 'authData' | 'modify'>;
  readonly registrations: Pick<RegistrationService, 'bindings'>;
  readonly registry: CallRegistry;
  readonly numbering: Numbering | undefined;
  readonly memory: HuntMemory;
  readonly trunks?: TrunkPort | undefined;
  readonly conferences?: ConferencePort | undefined;
}

/** The facts for routing: accounts, registrations, numbers, and the calls that are up. */
export class CallRouteDirectory implements RouteDirectory<Binding> {
  private counts: Map<string, number> | undefined;

  /** `call`, which is being routed, does not count among the calls of a user. */
  constructor(
    private readonly parts: DirectoryParts,
    private readonly call?: Call,
  ) {}

  async codes(): Promise<CodeTable | undefined> {
    return this.parts.numbering?.codes();
  }

  async entry(number: string): Promise<NumberEntry | undefined> {
    return this.parts.numbering?.entry(number);
  }

  async group(number: string): Promise<{ group: HuntGroup; turn: number } | undefined> {
    const group = await this.parts.numbering?.group(number);
    return group && { group, turn: this.parts.memory.turnOf(number) };
  }

  async user(username: string): Promise<CalleeFacts<Binding> | undefined> {
    const { users, registrations, memory } = this.parts;
    const user = await users.authData(username);
    if (!user) return undefined;
    const bindings = user.status === 'ACTIVE' ? await registrations.bindings(user.username) : [];
    const { username: name, status, features = {} } = user;
    const callsOf = (): number => this.callsOf(name);
    return {
      username: name,
      status,
      features,
      bindings,
      get calls() {
        return callsOf();
      },
      lastAnswer: memory.lastAnswer(name),
    };
  }

  async room(candidates: readonly string[]): Promise<RoomFacts | undefined> {
    return this.parts.conferences?.room(candidates);
  }

  async outside(question: OutsideQuestion): Promise<OutsideFacts | undefined> {
    return this.parts.trunks?.outside(question);
  }

  /** Calls by user, counted once and only when somebody asks: few users have a limit. */
  private callsOf(username: string): number {
    this.counts ??= countCalls(this.parts.registry, this.call);
    return this.counts.get(username) ?? 0;
  }
}

function countCalls(registry: CallRegistry, except: Call | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const call of registry.values()) {
    if (call === except || call.isEnding) continue;
    for (const username of call.users) counts.set(username, (counts.get(username) ?? 0) + 1);
  }
  return counts;
}
