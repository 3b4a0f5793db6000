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
const NAME = '[A-Za-z_\\u00c0-\\ufffd][\\w.\\-\\u00b7-\\ufffd]*';
const START_TAG = new RegExp(`<(?:(${NAME}):)?(${NAME})`, 'y');
const ATTRIBUTE = new RegExp(`\\s+(?:(${NAME}):)?(${NAME})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`, 'y');
const START_END = /\s*(\/?)>/y;
const END_TAG = new RegExp(`</((?:${NAME}:)?${NAME})\\s*>`, 'y');
const SKIPPED = /<!--(?:(?!--).)*-->|<\?.*?\?>/sy;
const CDATA = /<!\[CDATA\[(.*?)\]\]>/sy;
const TEXT = /[^<]+/y;
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

type Scope = ReadonlyMap<string, string>;

/**
 * Reads a small XML document (XML 1.0 and its namespaces), as phones send them: no document types, so no entities but the five of
 * XML itself and characters by number. Throws XmlError.
 */
export function parseXml(text: string): XmlElement {
  return new XmlReader(text.replace(/^\ufeff/, '')).document();
}

class XmlReader {
  private at = 0;
  private elements = 0;

  constructor(private readonly text: string) {}

  document(): XmlElement {
    this.skip();
    const root = this.element(new Map([['xml', XML_NAMESPACE]]), 1);
    this.skip();
    if (this.at < this.text.length) throw new XmlError('something follows the root element');
    return root;
  }

  /** White space, comments and processing instructions around the root. */
  private skip(): void {
    while (this.take(/\s+/y) || this.take(SKIPPED));
  }

  private element(outer: Scope, depth: number): XmlElement {
    const start = this.take(START_TAG);
    if (!start) throw new XmlError(`no element at ${this.at}`);
    if (depth > MAX_DEPTH || ++this.elements > MAX_ELEMENTS) throw new XmlError('too many elements');
    const [, prefix, name = ''] = start;
    const { written, scope } = this.attributes(outer);
    const end = this.take(START_END);
    if (!end) throw new XmlError(`a bad tag at ${this.at}`);
    const attributes = written.map(([by, local, value]) => ({
      namespace: by === undefined ? '' : namespaceOf(scope, by),
      name: local,
      value,
    }));
    const namespace = prefix === undefined ? (scope.get('') ?? '') : namespaceOf(scope, prefix);
    const tag = prefix === undefined ? name : `${prefix}:${name}`;
    return { namespace, name, attributes, children: end[1] ? [] : this.content(tag, scope, depth) };
  }

  private attributes(outer: Scope): { written: [string | undefined, string, string][]; scope: Scope } {
    const written: [string | undefined, string, string][] = [];
    const scope = new Map(outer);
    const seen = new Set<string>();
    for (let found = this.take(ATTRIBUTE); found; found = this.take(ATTRIBUTE)) {
      const [, prefix, name = '', double, single] = found;
      const value = decode(double ?? single ?? '').replace(/[\t\n\r]/g, ' ');
      if (seen.has(`${prefix}:${name}`) || seen.size >= MAX_ATTRIBUTES)
        throw new XmlError('an attribute twice, or too many');
      seen.add(`${prefix}:${name}`);
      if (prefix === 'xmlns') scope.set(name, value);
      else if (prefix === undefined && name === 'xmlns') scope.set('', value);
      else written.push([prefix, name, value]);
    }
    return { written, scope };
  }

  private content(tag: string, scope: Scope, depth: number): (XmlElement | string)[] {
    const children: (XmlElement | string)[] = [];
    for (;;) {
      const text = this.take(TEXT)?.[0];
      const data = text === undefined ? this.take(CDATA)?.[1] : undefined;
      if (text !== undefined) children.push(decode(text));
      else if (data !== undefined) children.push(data);
      else if (!this.take(SKIPPED)) {
        const end = this.take(END_TAG)?.[1];
        if (end === tag) return children;
        if (end !== undefined) throw new XmlError(`${end} closes ${tag}`);
        children.push(this.element(scope, depth + 1));
      }
    }
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found ?? undefined;
  }
}

function namespaceOf(scope: Scope, prefix: string): string {
  const namespace = scope.get(prefix);
  if (!namespace) throw new XmlError(`the prefix ${prefix} is not declared`);
  return namespace;
}

function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#x([0-9A-Fa-f]{1,6})|#(\d{1,7})|(\w+));|&/g, (_, hex, number, name) => {
    const code = hex === undefined ? Number(number) : Number.parseInt(hex, 16);
    const char = name === undefined ? charOf(code) : ENTITIES[name as string];
    if (char === undefined) throw new XmlError('an entity that is not known');
    return char;
  });
}

function charOf(code: number): string | undefined {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
