import type { CoreDialog } from './core-dialog.js';

/** Whoever keeps confirmed dialogs over a restart of the engine. Both are cheap and never throw. */
export interface DialogKeeper {
  /** It was confirmed, or something of it that a restart must not lose is new. */
  changed(dialog: CoreDialog): void;
  ended(dialog: CoreDialog): void;
}

/** Nothing is kept. */
export const NO_KEEPER: DialogKeeper = { changed: () => {}, ended: () => {} };
