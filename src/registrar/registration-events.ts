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
 * What the registrar tells of: a binding that came, changed or went, or a REGISTER that was refused for good (a 401 is
 * not). `request` is absent when time or an operator ended a binding. A refresh that changed nothing is not told.
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
