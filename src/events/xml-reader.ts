import { SaxesParser, type SaxesTagNS } from 'saxes';

/** An attribute; `namespace` is '' without a prefix, and declarations of namespaces are none. */
export interface XmlAttribute {
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
}

/** An element with its namespace resolved; children in order, text decoded. */
export interface XmlElement {
  readonly namespace: string;
  /** Without prefix. */
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly (XmlElement | string)[];
}

/** A document that is not well-formed, or holds what is refused: document types, depth, numbers of elements. */
export class XmlError extends Error {}

const MAX_DEPTH = 32;
const MAX_ELEMENTS = 500;
const MAX_ATTRIBUTES = 32;

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[];
}

/**
 * Reads a small XML document (XML 1.0 and its namespaces), as phones send them: no document types, so no entities but the five of
 * XML itself and characters by number. Throws XmlError.
 */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenElement[] = [];
  let elements = 0;
  let root: XmlElement | undefined;
  parser.on('error', fail);
  parser.on('doctype', () => fail(new Error('a document type')));
  parser.on('opentag', (tag) => {
    if (open.length >= MAX_DEPTH || ++elements > MAX_ELEMENTS) fail(new Error('too many elements'));
    open.push(elementOf(tag));
  });
  const addText = (content: string): void => {
    if (content !== '') open.at(-1)?.children.push(content);
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const closed = open.pop();
    const parent = open.at(-1);
    if (parent && closed) parent.children.push(closed);
    else root = closed;
  });
  parser.write(text).close();
  return root ?? fail(new Error('no element'));
}

function elementOf({ uri, local, attributes }: SaxesTagNS): OpenElement {
  const written = Object.values(attributes);
  if (written.length > MAX_ATTRIBUTES) fail(new Error('too many attributes'));
  return {
    namespace: uri,
    name: local,
    attributes: written
      .filter(({ prefix, name }) => prefix !== 'xmlns' && name !== 'xmlns')
      .map((one) => ({ namespace: one.uri, name: one.local, value: one.value })),
    children: [],
  };
}

function fail({ message }: Error): never {
  throw new XmlError(message);
}
