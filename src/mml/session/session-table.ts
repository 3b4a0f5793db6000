import type { LoggedInOperator, Role } from '../../accounts/types.js';
import type { Clock } from '../../platform/clock.js';
import { MmlError } from '../errors.js';
import { MAX_SESSIONS } from '../limits.js';
import type { SessionState, SessionTransport } from './session-state.js';

/** Who opens a session. */
export interface SessionOwner {
  readonly operator: string;
  readonly role: Role;
  readonly grants: readonly string[];
  readonly address: string;
  readonly transport: SessionTransport;
  readonly mustChangePassword?: boolean;
}

/** The owner of the session of an operator that has logged in. */
export function ownerOf(
  operator: LoggedInOperator,
  { address, transport }: Pick<SessionOwner, 'address' | 'transport'>,
): SessionOwner {
  const { name, role, grants, passwordExpired: mustChangePassword = false } = operator;
  return { operator: name, role, grants, address, transport, mustChangePassword };
}

/** All open sessions. */
export class SessionTable {
  private readonly open = new Map<number, { state: SessionState; end: () => void }>();
  private lastId = 0;

  constructor(private readonly clock: Clock) {}

  /**
   * Opens a session; `end` is called when somebody ends it. Throws MmlError 4005 when sessions from elsewhere are at
   * their limit; those of the local socket and of tasks are not counted, so the owner of the machine can always get in.
   */
  add(owner: SessionOwner, end: () => void): SessionState {
    const remote = [...this.open.values()].filter(({ state }) => isRemote(state.transport));
    if (isRemote(owner.transport) && remote.length >= MAX_SESSIONS) {
      throw new MmlError(4005, { limit: MAX_SESSIONS });
    }
    const now = this.clock.now();
    const state: SessionState = {
      ...owner,
      id: ++this.lastId,
      startedAt: now,
      lastInputAt: now,
      lastCommand: '',
      language: 'EN',
      format: 'TEXT',
      pageLines: undefined,
      printsAlarms: false,
    };
    this.open.set(state.id, { state, end });
    return state;
  }

  remove(id: number): void {
    this.open.delete(id);
  }

  list(): SessionState[] {
    return [...this.open.values()].map(({ state }) => state);
  }

  /** Ends a session; false when there is none of that number. */
  end(id: number): boolean {
    const found = this.open.get(id);
    found?.end();
    return found !== undefined;
  }
}

const isRemote = (transport: SessionTransport): boolean => transport !== 'local' && transport !== 'task';
