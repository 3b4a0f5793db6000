import type { PeerAddress } from '../signalling/request.js';
import type { BindingChange } from './working-set.js';

/** The REGISTER behind an event. */
export interface RegisterFacts {
  readonly callId: string;
  readonly cseq: number;
  readonly peer: PeerAddress;
  readonly userAgent: string;
}

/**
 * What the registrar tells of: a binding that came, changed or went, or an authenticated user's REGISTER that was refused,
 * once until another outcome. `request` is absent when time or an operator ended a binding. A refresh that changed nothing
 * is not told, nor what strangers send: none of them may fill a disk with it.
 */
export type RegistrationEvent =
  | (BindingChange & { readonly username: string; readonly request?: RegisterFacts })
  | {
      readonly kind: 'refused';
      readonly username: string;
      readonly status: number;
      readonly reason: string;
      readonly request: RegisterFacts;
    };

/** Called in order; must not throw and must not wait. */
export type RegistrationObserver = (event: RegistrationEvent) => void;
