import type { XmlElement } from './xml-reader.js';

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/** What may not stand in XML 1.0 at all: control characters and halves of pairs. */
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text as it stands in an element or, between double quotes, in an attribute. */
export function escapeXml(text: string): string {
  return text
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"\t\n\r]/g, (char) => ESCAPES[char] ?? `&#${char.charCodeAt(0)};`);
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** `name="value"` for each attribute that has a value, with a space before each. */
export function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeXml(String(value))}"`))
    .join('');
}

/** Namespaces that are declared on the root of what is written, by prefix; '' is the default one. */
export type Prefixes = ReadonlyMap<string, string>;

/** Writes an element that was read; namespaces without a prefix get one of their own, declared where it is used first. */
export function writeElement(element: XmlElement, prefixes: Prefixes): string {
  const scope = new Map(prefixes);
  const declared: string[] = [];
  /** An attribute without a prefix is in no namespace, whatever the default is. */
  const prefixOf = (namespace: string, isAttribute: boolean): string => {
    if (namespace === '') return '';
    if (namespace === XML_NAMESPACE) return 'xml';
    for (const [prefix, one] of scope)
      if (one === namespace && !(isAttribute && prefix === '')) return prefix;
    const prefix = `n${scope.size}`;
    scope.set(prefix, namespace);
    declared.push(attributes({ [`xmlns:${prefix}`]: namespace }));
    return prefix;
  };
  const tag = named(element.name, prefixOf(element.namespace, false));
  const written = element.attributes.map(({ namespace, name, value }) =>
    attributes({ [named(name, prefixOf(namespace, true))]: value }),
  );
  // An element of no namespace needs the default undone, for all that is below it too.
  if (element.namespace === '' && scope.get('') !== '') {
    scope.set('', '');
    declared.push(' xmlns=""');
  }
  const content = element.children
    .map((child) => (typeof child === 'string' ? escapeXml(child) : writeElement(child, scope)))
    .join('');
  const start = `<${tag}${declared.join('')}${written.join('')}`;
  return content === '' ? `${start}/>` : `${start}>${content}</${tag}>`;
}

function named(name: string, prefix: string): string {
  return prefix === '' ? name : `${prefix}:${name}`;
}
