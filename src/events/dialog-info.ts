import type { CallDialog } from '../call/call-dialogs.js';
import { escapeUser } from '../sip/escape.js';
import { attributes, escapeXml } from './xml.js';

/** A dialog as a document tells of it (RFC 4235 §4.1.1). */
export interface DialogEntry extends Omit<CallDialog, 'state' | 'username'> {
  /** The same in every document of that dialog. */
  readonly id: string;
  readonly state: CallDialog['state'] | 'terminated';
}

/** Whom a document tells of. */
export interface Watched {
  readonly username: string;
  readonly realm: string;
  readonly displayName: string;
}

/** Bytes of dialogs in one document: it has to fit into one datagram. */
const MAX_BYTES = 49_152;

/**
 * A dialog-info document with the full state of a user (RFC 4235 §4.1): all dialogs of its calls, and those that ended a moment ago;
 * the newest of very many.
 */
export function dialogInfo(user: Watched, version: number, dialogs: readonly DialogEntry[]): string {
  const entity = `sip:${escapeUser(user.username)}@${user.realm}`;
  const root = { xmlns: 'urn:ietf:params:xml:ns:dialog-info', version, state: 'full', entity };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<dialog-info${attributes(root)}>`,
    ...newest(dialogs.map((dialog) => dialogLines(user, entity, dialog).join('\r\n'))),
    '</dialog-info>',
    '',
  ].join('\r\n');
}

/** As many from the end as have room. */
function newest(texts: readonly string[]): readonly string[] {
  let bytes = 0;
  const tooMany = texts.findLastIndex((text) => {
    bytes += Buffer.byteLength(text);
    return bytes > MAX_BYTES;
  });
  return texts.slice(tooMany + 1);
}

function dialogLines(user: Watched, entity: string, dialog: DialogEntry): string[] {
  const { id, callId, localTag, remoteTag, direction, state, remote } = dialog;
  const names = { id, 'call-id': callId, 'local-tag': localTag, 'remote-tag': remoteTag, direction };
  return [
    `<dialog${attributes(names)}>`,
    // RFC 4235 §4.1.2
    `<state>${state}</state>`,
    `<local>${partyText(entity, user.displayName)}</local>`,
    `<remote>${partyText(remoteUri(remote.number, user.realm), remote.displayName)}</remote>`,
    '</dialog>',
  ];
}

/** RFC 4235 §4.1.6. */
function partyText(uri: string, displayName: string): string {
  const display = displayName === '' ? undefined : displayName;
  return `<identity${attributes({ display })}>${escapeXml(uri)}</identity><target${attributes({ uri })}/>`;
}

/** One that hides from the callee hides from those who watch it too (RFC 3323 §4.1). */
function remoteUri(number: string, realm: string): string {
  return number === '' ? 'sip:anonymous@anonymous.invalid' : `sip:${escapeUser(number)}@${realm}`;
}
