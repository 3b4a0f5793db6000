import { dialogInfo } from './dialog-info.js';
import type { DialogModel } from './dialog-model.js';
import { EventRefusedError } from './errors.js';
import type { EventPackage } from './event-package.js';

/** RFC 4235 §3.10: one a second. */
const INTERVAL_MS = 1000;

/** The dialog package (RFC 4235): who of this server is in which call, for busy lamps. */
export function dialogPackage(model: DialogModel): EventPackage {
  return {
    name: 'dialog',
    contentType: 'application/dialog-info+xml',
    // RFC 4235 §3.4
    defaultSec: 3600,
    intervalMs: INTERVAL_MS,
    // RFC 4235 §3.6
    authorise: (subscriber, resource) => {
      if (subscriber.realm !== resource.realm) throw new EventRefusedError(403, 'Not Of This Realm');
    },
    interest: (isWatched) => model.need('dialog', isWatched),
    state: (resource, version) => dialogInfo(resource, version, model.dialogsOf(resource.username)),
  };
}
