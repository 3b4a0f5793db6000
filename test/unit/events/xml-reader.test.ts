import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attributes, escapeXml, writeElement } from '../../../src/events/xml.js';
import { parseXml, XmlError } from '../../../src/events/xml-reader.js';

const NO_PREFIXES = new Map<string, string>();

describe('the XML reader', () => {
  test('reads elements, attributes, text, namespaces and their defaults', () => {
    const root = parseXml(
      '\ufeff<?xml version="1.0"?><!-- c --><a xmlns="u:1" xmlns:p=\'u:2\' x="1 &lt; 2">t<p:b p:y="&#65;&#x42;"/><c xmlns=""/></a >\n<?pi?>',
    );
    assert.deepEqual(root, {
      namespace: 'u:1',
      name: 'a',
      attributes: [{ namespace: '', name: 'x', value: '1 < 2' }],
      children: [
        't',
        {
          namespace: 'u:2',
          name: 'b',
          attributes: [{ namespace: 'u:2', name: 'y', value: 'AB' }],
          children: [],
        },
        { namespace: '', name: 'c', attributes: [], children: [] },
      ],
    });
  });

  test('reads character data and skips comments and instructions', () => {
    assert.deepEqual(parseXml('<a>1<!-- <b> --><![CDATA[<&]]><?x y?>2</a>').children, ['1', '<&', '2']);
  });

  for (const [what, text] of [
    ['nothing', ''],
    ['a text', 'hello'],
    ['an open element', '<a><b></a>'],
    ['a missing end', '<a>'],
    ['two roots', '<a/><b/>'],
    ['an unknown prefix', '<p:a/>'],
    ['an attribute twice', '<a x="1" x="2"/>'],
    ['an unquoted value', '<a x=1/>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['a lone ampersand', '<a>&</a>'],
    ['character 0', '<a>&#0;</a>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ['too deep a tree', `${'<a>'.repeat(33)}${'</a>'.repeat(33)}`],
    ['too many elements', `<a>${'<b/>'.repeat(500)}</a>`],
    ['a comment with two hyphens', '<a><!-- a -- b --></a>'],
  ] as const)
    test(`refuses ${what}`, () => {
      assert.throws(() => parseXml(text), XmlError);
    });

  test('takes long input in little time', () => {
    const start = performance.now();
    for (const text of [
      `<a>${'<!--'.repeat(4000)}</a>`,
      `<a ${' '.repeat(16_000)}`,
      `<${'a'.repeat(16_000)}`,
    ])
      assert.throws(() => parseXml(text), XmlError);
    assert.ok(performance.now() - start < 5000);
  });
});

describe('the XML writer', () => {
  test('what is written reads as what it was', () => {
    const text = [
      '<a xmlns="u:1" xmlns:q="u:2" q:z="&quot;&amp;&#9;" y="é"><q:b>x &lt; y</q:b><c xmlns="">t<d xmlns="u:1"/></c><e xml:lang="en"/>',
      '<f xmlns:o="u:1" z="1" o:z="2"/><g xmlns="" xmlns:h="u:3" xmlns:i="u:4" h:z="" q:z=""><i:j h:z="" q:z="" xmlns:o="u:1" o:z=""/></g></a>',
    ].join('');
    const root = parseXml(text);
    for (const prefixes of [NO_PREFIXES, new Map([['', 'u:1']]), new Map([['p', 'u:2']])]) {
      const declared = [...prefixes].map(([prefix, uri]) =>
        attributes({ [prefix ? `xmlns:${prefix}` : 'xmlns']: uri }),
      );
      const written = `<w${declared.join('')}>${writeElement(root, prefixes)}</w>`;
      assert.deepEqual(parseXml(written).children, [root], written);
    }
  });

  test('escapes what XML cannot hold', () => {
    assert.equal(escapeXml('a\u0001<>&"\ud800'), 'a\ufffd&lt;&gt;&amp;&quot;\ufffd');
  });
});
