import type { User } from '../accounts/types.js';
import type { DialogModel } from './dialog-model.js';
import { EventRefusedError } from './errors.js';
import type { EventPackage } from './event-package.js';
import { composePidf, derivedPidf, PIDF_TYPE } from './pidf.js';
import type { Publications } from './publications.js';

/** RFC 3856 §6.10: one in five seconds. */
const INTERVAL_MS = 5000;

export interface PresenceParties {
  readonly publications: Publications;
  readonly dialogs: DialogModel;
  isRegistered(username: string): Promise<boolean>;
}

/** The presence package (RFC 3856): what a user published, else what this server knows of its phones and calls. */
export function presencePackage({ publications, dialogs, isRegistered }: PresenceParties): EventPackage {
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
    interest: (isWatched) => dialogs.need('presence', isWatched),
    // RFC 3856 §6.7
    state: async (resource: User) => {
      const { username, realm } = resource;
      const published = publications.of(resource).map(({ parts }) => parts);
      if (published.length > 0) return composePidf(username, realm, published);
      const isOpen = await isRegistered(username);
      return derivedPidf(username, realm, { isOpen, isTalking: dialogs.isTalking(username) });
    },
  };
}
