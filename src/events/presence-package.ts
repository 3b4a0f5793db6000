import type { User } from '../accounts/types.js';
import type { DialogModel } from './dialog-model.js';
import { EventRefusedError } from './errors.js';
import type { EventPackage } from './event-package.js';
import { composePidf, type DerivedPresence, derivedPidf, PIDF_TYPE } from './pidf.js';
import type { Publication, Publications } from './publications.js';

/** RFC 3856 §6.10: one in five seconds. */
const INTERVAL_MS = 5000;

/** What there is to say of a user: what it published, oldest first, or what this server knows when that is nothing. */
export type PresenceFacts =
  | { readonly published: readonly Publication[] }
  | { readonly derived: DerivedPresence };

export interface PresenceParties {
  readonly publications: Publications;
  readonly dialogs: DialogModel;
  isRegistered(username: string): Promise<boolean>;
}

/** The one rule of what presence says. Rejects with StoreError. */
export async function presenceFacts(
  { publications, dialogs, isRegistered }: PresenceParties,
  user: User,
): Promise<PresenceFacts> {
  const published = publications.of(user);
  if (published.length > 0) return { published };
  const isOpen = await isRegistered(user.username);
  return { derived: { isOpen, isTalking: dialogs.isTalking(user.username) } };
}

/** The presence package (RFC 3856): what a user published, else what this server knows of its phones and calls. */
export function presencePackage(parties: PresenceParties): EventPackage {
  return {
    name: 'presence',
    contentType: PIDF_TYPE,
    // RFC 3856 §6.4
    defaultSec: 3600,
    intervalMs: INTERVAL_MS,
    // RFC 3856 §6.6.2
    authorise: (subscriber, resource) => {
      if (subscriber.realm !== resource.realm) throw new EventRefusedError(403, 'Not Of This Realm');
    },
    interest: (isWatched) => parties.dialogs.need('presence', isWatched),
    // RFC 3856 §6.7
    state: async (resource: User) => {
      const { username, realm } = resource;
      const facts = await presenceFacts(parties, resource);
      if ('derived' in facts) return derivedPidf(username, realm, facts.derived);
      return composePidf(
        username,
        realm,
        facts.published.map(({ parts }) => parts),
      );
    },
  };
}
