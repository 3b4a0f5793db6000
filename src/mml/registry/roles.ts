import { ROLES, type Role } from '../../accounts/types.js';

/** Whether an operator of role `held` may do what needs `needed`: each role may do all that the ones before it may. */
export function mayRun(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(needed);
}
