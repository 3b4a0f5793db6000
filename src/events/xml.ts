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

/** Prefixes of namespaces that are declared on the root of what is written; '' for the one without a prefix. */
export type Prefixes = ReadonlyMap<string, string>;

/** Writes an element that was read; namespaces without a prefix get one of their own, declared where it is used first. */
export function writeElement(element: XmlElement, prefixes: Prefixes): string {
  const used = [element.namespace, ...element.attributes.map(({ namespace }) => namespace)];
  const scope = new Map(prefixes);
  const declared: string[] = [];
  for (const namespace of used) {
    // An attribute without a prefix is in no namespace, and an element of none needs the default undone.
    if (namespace === '' || namespace === XML_NAMESPACE || scope.has(namespace)) continue;
    const prefix = `n${scope.size}`;
    scope.set(namespace, prefix);
    declared.push(attributes({ [`xmlns:${prefix}`]: namespace }));
  }
  const isOfNone = element.namespace === '';
  if (isOfNone) declared.push(' xmlns=""');
  const tag = named(element.name, isOfNone ? '' : (scope.get(element.namespace) ?? ''));
  const written = element.attributes.map(({ namespace, name, value }) => {
    const prefix = namespace === '' ? '' : namespace === XML_NAMESPACE ? 'xml' : (scope.get(namespace) ?? '');
    return attributes({ [named(name, prefix)]: value });
  });
  // Below an element of no namespace the default is that of none too.
  const inner = isOfNone ? new Map([...scope].filter(([, prefix]) => prefix !== '')) : scope;
  const content = element.children
    .map((child) => (typeof child === 'string' ? escapeXml(child) : writeElement(child, inner)))
    .join('');
  const start = `<${tag}${declared.join('')}${written.join('')}`;
  return content === '' ? `${start}/>` : `${start}>${content}</${tag}>`;
}

function named(name: string, prefix: string): string {
  return prefix === '' ? name : `${prefix}:${name}`;
}
