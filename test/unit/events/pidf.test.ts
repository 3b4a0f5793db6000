import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { composePidf, derivedPidf, readPidf, summaryOf } from '../../../src/events/pidf.js';
import { parseXml, type XmlElement } from '../../../src/events/xml-reader.js';

/** As phones write it: a prefix for the namespace, an extension, a person of RFC 4479. */
const AWAY = `<?xml version="1.0"?>
<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" xmlns:d="urn:ietf:params:xml:ns:pidf:data-model"
    xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" xmlns:x="urn:x" entity="sip:1002@elsewhere">
  <p:tuple id="t1"><p:status><p:basic>open</p:basic><x:mood level="3">so &amp; so</x:mood></p:status>
    <p:contact priority="0.8">sip:1002@192.0.2.1</p:contact><p:note xml:lang="en">Back &lt; soon</p:note></p:tuple>
  <d:person id="p1"><r:activities><r:away/></r:activities></d:person>
</p:presence>`;
const DESK =
  '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:1002@ims"><tuple id="t1"><status><basic>closed</basic></status></tuple><note>At lunch</note></presence>';

function names(root: XmlElement): string[] {
  return root.children.flatMap((child) =>
    typeof child === 'string' ? [] : [`${child.name} ${child.attributes[0]?.value ?? ''}`.trim()],
  );
}

describe('presence documents', () => {
  test('RFC 3863 §4.1, §4.1.2, RFC 3903 §3, RFC 4479 §4: what several publishers said is put together, ids kept apart', () => {
    const text = composePidf('1002', 'ims', [readPidf(AWAY), readPidf(DESK)]);
    const root = parseXml(text);
    assert.deepEqual([root.name, root.namespace], ['presence', 'urn:ietf:params:xml:ns:pidf']);
    assert.equal(root.attributes.find(({ name }) => name === 'entity')?.value, 'sip:1002@ims');
    assert.deepEqual(names(root), ['tuple t1', 'tuple t1-2', 'note', 'person p1']);
    assert.match(
      text,
      /<tuple id="t1"><status><basic>open<\/basic><n3:mood xmlns:n3="urn:x" level="3">so &amp; so<\/n3:mood><\/status>/,
    );
    assert.match(text, /<note xml:lang="en">Back &lt; soon<\/note>/);
    assert.match(text, /<dm:person id="p1"><rpid:activities><rpid:away\/><\/rpid:activities><\/dm:person>/);
  });

  test('RFC 3863 §4.1.4, RFC 4480 §3.2: of a user that published nothing they say what the server knows', () => {
    const read = (isOpen: boolean, isTalking: boolean) =>
      /<basic>(.*?)<\/basic>.*<note>(.*?)<\/note>/
        .exec(derivedPidf('1002', 'ims', { isOpen, isTalking }))
        ?.slice(1);
    assert.deepEqual(read(false, false), ['closed', 'Offline']);
    assert.deepEqual(read(true, false), ['open', 'Online']);
    assert.deepEqual(read(true, true), ['open', 'On the phone']);
    const root = parseXml(derivedPidf('1002', 'ims', { isOpen: true, isTalking: true }));
    assert.deepEqual(names(root), ['tuple ims', 'person p']);
  });

  test('attributes in the namespace of the document keep it, and do not become others of the same name', () => {
    const text = `<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" xmlns:x="urn:x" entity="sip:1002@ims"><p:tuple id="t" p:id="z">
      <p:status><p:basic>open</p:basic><x:mood p:mustUnderstand="1" mustUnderstand="0"/></p:status></p:tuple></p:presence>`;
    const root = parseXml(composePidf('1002', 'ims', [readPidf(text)]));
    const [tuple] = root.children.filter((child) => typeof child !== 'string');
    const attributesOf = (element: XmlElement | undefined) =>
      element?.attributes.map(({ namespace, name, value }) => [namespace, name, value]);
    assert.deepEqual(attributesOf(tuple), [
      ['', 'id', 't'],
      ['urn:ietf:params:xml:ns:pidf', 'id', 'z'],
    ]);
    const status = tuple?.children.find((child) => typeof child !== 'string');
    const mood = (status as XmlElement).children.find(
      (child) => typeof child !== 'string' && child.name === 'mood',
    );
    assert.deepEqual(attributesOf(mood as XmlElement), [
      ['urn:ietf:params:xml:ns:pidf', 'mustUnderstand', '1'],
      ['', 'mustUnderstand', '0'],
    ]);
  });

  test('are short for consoles', () => {
    assert.deepEqual(summaryOf(readPidf(AWAY)), { isOpen: true, note: 'Back < soon' });
    assert.deepEqual(summaryOf(readPidf(DESK)), { isOpen: false, note: 'At lunch' });
  });

  for (const text of [
    'text',
    '<presence/>',
    '<presence xmlns="urn:ietf:params:xml:ns:pidf"><tuple><status/></tuple></presence>',
    '<presence xmlns="urn:ietf:params:xml:ns:pidf"><tuple id="a"/></presence>',
  ])
    test(`RFC 3863 §4.1.2: ${text} is none`, () => {
      assert.throws(() => readPidf(text), { sipStatus: 400 });
    });
});
