import type { OperatorView, Role } from './types.js';

const DAY_MS = 24 * 3600 * 1000;

/** An operator as kept in the Store. */
export type KeptOperator = {
  name: string;
  role: Role;
  createdAt: number;
  passwordHash: string;
  passwordAt?: number;
  addresses?: readonly string[];
  hours?: { days?: readonly number[]; from: number; until: number };
  groups?: readonly string[];
  keys?: readonly string[];
  lockedUntil?: number;
};

/** An operator as others see it at a time, wall milliseconds: without its hash. */
export function operatorView(kept: KeptOperator, passwordDays: number, now: number): OperatorView {
  const { name, role, createdAt, passwordAt = createdAt, addresses, hours, groups, keys, lockedUntil } = kept;
  return {
    name,
    role,
    createdAt,
    passwordAt,
    passwordExpired: passwordDays > 0 && now - passwordAt > passwordDays * DAY_MS,
    ...(addresses && { addresses }),
    ...(hours && { hours }),
    ...(groups && { groups }),
    ...(keys && { keys }),
    ...(lockedUntil !== undefined && lockedUntil > now && { lockedUntil }),
  };
}
