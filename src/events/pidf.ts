import { escapeUser } from '../sip/escape.js';
import { EventRefusedError } from './errors.js';
import { attributes, escapeXml, type Prefixes, writeElement } from './xml.js';
import { parseXml, type XmlElement, XmlError } from './xml-reader.js';

/** The body of presence (RFC 3863 §4). */
export const PIDF_TYPE = 'application/pidf+xml';

const PIDF = 'urn:ietf:params:xml:ns:pidf';
const DATA_MODEL = 'urn:ietf:params:xml:ns:pidf:data-model';
const RPID = 'urn:ietf:params:xml:ns:pidf:rpid';
const NAMESPACES: Prefixes = new Map([
  ['', PIDF],
  ['dm', DATA_MODEL],
  ['rpid', RPID],
]);

/** What one publisher said of a user, in parts that can be put together with those of others. */
export interface PresenceParts {
  readonly tuples: readonly XmlElement[];
  readonly notes: readonly XmlElement[];
  /** Of other namespaces: persons and devices (RFC 4479 §4). */
  readonly others: readonly XmlElement[];
  /** As they are written, bytes. */
  readonly size: number;
}

/** What this server knows of a user of which nobody has published anything. */
export interface DerivedPresence {
  /** A phone is registered. */
  readonly isOpen: boolean;
  readonly isTalking: boolean;
}

/** Reads a published document. Throws EventRefusedError 400 (RFC 3903 §6 step 6). */
export function readPidf(text: string): PresenceParts {
  let root: XmlElement;
  try {
    root = parseXml(text);
  } catch (error) {
    if (error instanceof XmlError) throw new EventRefusedError(400, 'Bad Presence Document');
    throw error;
  }
  const elements = root.children.filter((child) => typeof child !== 'string');
  const of = (name: string) => elements.filter((one) => one.namespace === PIDF && one.name === name);
  const tuples = of('tuple');
  // RFC 3863 §4.1.2
  const isWhole = tuples.every((tuple) => idOf(tuple) !== '' && childOf(tuple, 'status'));
  if (root.namespace !== PIDF || root.name !== 'presence' || !isWhole)
    throw new EventRefusedError(400, 'Bad Presence Document');
  const parts = { tuples, notes: of('note'), others: elements.filter(({ namespace }) => namespace !== PIDF) };
  // Namespaces are declared where they are used, so what is written may be longer than what was read.
  const written = [...parts.tuples, ...parts.notes, ...parts.others].map((one) =>
    writeElement(one, NAMESPACES),
  );
  return { ...parts, size: Buffer.byteLength(written.join('')) };
}

/** The document of a user that published: all that its publishers said, together (RFC 3903 §3). */
export function composePidf(username: string, realm: string, published: readonly PresenceParts[]): string {
  const taken = new Set<string>();
  const body = [
    ...published.flatMap(({ tuples }) => tuples.map((tuple) => withOwnId(tuple, taken))),
    ...published.flatMap(({ notes }) => notes),
    ...published.flatMap(({ others }) => others.map((other) => withOwnId(other, taken))),
  ];
  return document(
    username,
    realm,
    body.map((element) => writeElement(element, NAMESPACES)),
  );
}

/** The document of a user of which nobody has published anything (RFC 3863 §4.1, RFC 4480 §3.2). */
export function derivedPidf(username: string, realm: string, { isOpen, isTalking }: DerivedPresence): string {
  return document(username, realm, [
    [
      '<tuple id="ims">',
      // RFC 3863 §4.1.4
      `<status><basic>${isOpen ? 'open' : 'closed'}</basic></status>`,
      ...(isOpen ? [`<contact>${escapeXml(aor(username, realm))}</contact>`] : []),
      `<note>${derivedNote({ isOpen, isTalking })}</note>`,
      '</tuple>',
    ].join(''),
    ...(isTalking
      ? ['<dm:person id="p"><rpid:activities><rpid:on-the-phone/></rpid:activities></dm:person>']
      : []),
  ]);
}

/** For people. */
export function derivedNote({ isOpen, isTalking }: DerivedPresence): string {
  if (isTalking) return 'On the phone';
  return isOpen ? 'Online' : 'Offline';
}

/** What a publisher says in short, for consoles. */
export function summaryOf({ tuples, notes }: PresenceParts): { isOpen: boolean; note: string } {
  const isOpen = tuples.some((tuple) => {
    const status = childOf(tuple, 'status');
    const basic = status && childOf(status, 'basic');
    return basic !== undefined && textOf(basic).trim() === 'open';
  });
  const note = [...tuples.map((tuple) => childOf(tuple, 'note')), ...notes].find(Boolean);
  return { isOpen, note: note ? textOf(note).trim() : '' };
}

function document(username: string, realm: string, body: readonly string[]): string {
  const root = { xmlns: PIDF, 'xmlns:dm': DATA_MODEL, 'xmlns:rpid': RPID, entity: aor(username, realm) };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<presence${attributes(root)}>`,
    ...body,
    '</presence>',
    '',
  ].join('\r\n');
}

function aor(username: string, realm: string): string {
  return `sip:${escapeUser(username)}@${realm}`;
}

/** RFC 3863 §4.1.2: ids are unique in a document; publishers do not know of each other. */
function withOwnId(element: XmlElement, taken: Set<string>): XmlElement {
  const id = idOf(element);
  if (id === '' || !taken.has(id)) {
    if (id !== '') taken.add(id);
    return element;
  }
  let free = 2;
  while (taken.has(`${id}-${free}`)) free++;
  taken.add(`${id}-${free}`);
  const renamed = element.attributes.map((one) =>
    one.name === 'id' && one.namespace === '' ? { ...one, value: `${id}-${free}` } : one,
  );
  return { ...element, attributes: renamed };
}

function idOf(element: XmlElement): string {
  return element.attributes.find(({ name, namespace }) => name === 'id' && namespace === '')?.value ?? '';
}

function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find(
    (child): child is XmlElement =>
      typeof child !== 'string' && child.name === name && child.namespace === PIDF,
  );
}

function textOf(element: XmlElement): string {
  return element.children.filter((child) => typeof child === 'string').join('');
}
