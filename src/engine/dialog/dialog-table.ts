import type { Dialog } from './dialog.js';

/** Dialogs at once; with more, requests that would found one are refused. */
export const MAX_DIALOGS = 200_000;

interface Entry {
  readonly wireId: string;
  readonly dialog: Dialog;
}

/** All dialogs of the engine, found by what a peer's request says and by the name that applications use. */
export class DialogTable<E extends Entry> {
  private readonly byWireId = new Map<string, E>();
  private readonly byLocalEnd = new Map<string, E>();

  get size(): number {
    return this.byWireId.size;
  }

  get isFull(): boolean {
    return this.byWireId.size >= MAX_DIALOGS;
  }

  /** Adds an entry, in place of one with the same name. */
  add(entry: E): void {
    const old = this.byWireId.get(entry.wireId);
    if (old) this.remove(old);
    this.byWireId.set(entry.wireId, entry);
    this.byLocalEnd.set(keyOf(entry.dialog), entry);
  }

  remove(entry: E): void {
    if (this.byWireId.get(entry.wireId) === entry) this.byWireId.delete(entry.wireId);
    const key = keyOf(entry.dialog);
    if (this.byLocalEnd.get(key) === entry) this.byLocalEnd.delete(key);
  }

  get(wireId: string): E | undefined {
    return this.byWireId.get(wireId);
  }

  /**
   * The dialog a request with a To tag belongs to (RFC 3261 §12.2.2): Call-ID, To tag = ours, From tag = the peer's.
   * A UAC that knows no peer yet takes any: a NOTIFY may overtake the 2xx (RFC 6665 §4.1.2.4).
   */
  match(callId: string, toTag: string, fromTag: string | undefined): E | undefined {
    const entry = this.byLocalEnd.get(localKey(callId, toTag));
    if (!entry) return undefined;
    const { dialog } = entry;
    if (dialog.role === 'uac' && dialog.peer.tag === undefined) return entry;
    return dialog.peerWithTag(fromTag) ? entry : undefined;
  }

  values(): IterableIterator<E> {
    return this.byWireId.values();
  }
}

/** Made once: the table of local ends keeps it as long as the dialog lives. */
function keyOf(dialog: Dialog): string {
  dialog.tableKey ??= localKey(dialog.callId, dialog.localTag);
  return dialog.tableKey;
}

/** Tags are tokens and ignore case; Call-IDs do not (RFC 3261 §7.3.1, §8.1.1.4). */
function localKey(callId: string, localTag: string): string {
  return `${callId}\n${localTag.toLowerCase()}`;
}
