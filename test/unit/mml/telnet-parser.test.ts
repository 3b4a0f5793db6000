import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DO,
  DONT,
  IAC,
  IP,
  NOP,
  OPTION_ECHO,
  OPTION_NAWS,
  OPTION_SGA,
  OPTION_TTYPE,
  SB,
  SE,
  WILL,
  WONT,
} from '../../../src/mml/terminal/telnet-codes.js';
import { TelnetOptions } from '../../../src/mml/terminal/telnet-options.js';
import { TelnetParser } from '../../../src/mml/terminal/telnet-parser.js';
import { windowSize } from '../../../src/mml/transport/attach-terminal.js';

/** All that a parser reports, as text; neighbouring data joined. */
function parseAll(chunks: readonly Uint8Array[]): string[] {
  const events: string[] = [];
  const data = (value: string) => {
    if (events.at(-1)?.startsWith('data ')) events[events.length - 1] += value;
    else events.push(`data ${value}`);
  };
  const parser = new TelnetParser({
    onData: (bytes) => data(bytes.toString('hex')),
    onNegotiation: (verb, option) => events.push(`option ${verb} ${option}`),
    onSubnegotiation: (option, payload) => events.push(`sb ${option} ${payload.toString('hex')}`),
    onCommand: (command) => events.push(`command ${command}`),
  });
  for (const chunk of chunks) parser.push(chunk);
  return events;
}

describe('telnet parser', () => {
  const stream = Buffer.from([
    ...Buffer.from('ab'),
    IAC,
    DO,
    OPTION_ECHO,
    ...Buffer.from('李'),
    IAC,
    IAC,
    13,
    0,
    10,
    13,
    10,
    13,
    65,
    IAC,
    NOP,
    0,
    IAC,
    SB,
    OPTION_NAWS,
    0,
    IAC,
    IAC,
    0,
    24,
    IAC,
    SE,
    ...Buffer.from('z'),
    IAC,
    IP,
    IAC,
    WILL,
    OPTION_TTYPE,
  ]);
  const expected = [
    'data 6162',
    `option ${DO} ${OPTION_ECHO}`,
    'data e69d8eff0d0d0d0d41',
    `command ${NOP}`,
    `sb ${OPTION_NAWS} 00ff0018`,
    'data 7a',
    `command ${IP}`,
    `option ${WILL} ${OPTION_TTYPE}`,
  ];

  it('RFC 854: reads a stream whole', () => assert.deepEqual(parseAll([stream]), expected));

  it('RFC 854: reads it byte by byte', () => {
    assert.deepEqual(parseAll([...stream].map((byte) => Uint8Array.of(byte))), expected);
  });

  it('RFC 854: reads it cut at every place', () => {
    for (let at = 1; at < stream.length; at++) {
      assert.deepEqual(parseAll([stream.subarray(0, at), stream.subarray(at)]), expected, `cut at ${at}`);
    }
  });

  it('RFC 854: CR LF, CR NUL, CR and LF are one line end each; NUL is nothing', () => {
    const hex = (text: string) => parseAll([Buffer.from(text, 'latin1')]).join();
    assert.equal(hex('a\r\nb'), 'data 610d62');
    assert.equal(hex('a\r\0b'), 'data 610d62');
    assert.equal(hex('a\rb'), 'data 610d62');
    assert.equal(hex('a\nb'), 'data 610d62');
    assert.equal(hex('a\r\n\r\nb'), 'data 610d0d62');
    assert.equal(hex('a\0\0b'), 'data 6162');
  });

  it('RFC 855: drops a subnegotiation that is too long, and goes on after it', () => {
    const long = Buffer.concat([
      Buffer.from([IAC, SB, 99]),
      Buffer.alloc(100_000, 65),
      Buffer.from([IAC, SE, 66]),
    ]);
    assert.deepEqual(parseAll([long]), ['data 42']);
  });

  it('RFC 855: obeys a command inside a subnegotiation whose SE was lost', () => {
    assert.deepEqual(parseAll([Buffer.from([IAC, SB, 24, 1, 2, IAC, DO, OPTION_ECHO, 66])]), [
      `option ${DO} ${OPTION_ECHO}`,
      'data 42',
    ]);
  });

  it('survives noise', () => {
    let seed = 7;
    for (let round = 0; round < 300; round++) {
      const noise = Buffer.from(
        Array.from({ length: 200 }, () => {
          seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
          return (seed >> 8) % 3 === 0 ? 240 + ((seed >> 12) % 16) : (seed >> 12) & 255;
        }),
      );
      const cut = round % noise.length;
      assert.deepEqual(parseAll([noise.subarray(0, cut), noise.subarray(cut)]), parseAll([noise]));
    }
  });

  it('RFC 1073: window sizes double 255', () => {
    const hex = windowSize(255, 24).toString('hex');
    assert.equal(hex, 'fffa1f00ffff0018fff0');
  });
});

describe('telnet options', () => {
  function make() {
    const sent: string[] = [];
    let storms = 0;
    const options = new TelnetOptions(
      (bytes) => sent.push([...bytes].join(' ')),
      () => storms++,
    );
    return { options, sent, storms: () => storms };
  }

  it('RFC 857, RFC 858: a client that takes ECHO and SGA is a terminal, and agreement is not answered', () => {
    const { options, sent } = make();
    options.start();
    sent.length = 0;
    assert.equal(options.isTerminal, false);
    options.receive(DO, OPTION_ECHO);
    options.receive(DO, OPTION_SGA);
    options.receive(WILL, OPTION_SGA);
    options.receive(WILL, OPTION_NAWS);
    assert.deepEqual(sent, []);
    assert.equal(options.isTerminal, true);
    options.receive(DONT, OPTION_ECHO);
    assert.deepEqual(sent, [[IAC, WONT, OPTION_ECHO].join(' ')]);
    assert.equal(options.isTerminal, false);
  });

  it('RFC 854: refuses unknown options, and says nothing about options that are off', () => {
    const { options, sent } = make();
    options.receive(DO, 200);
    options.receive(WILL, 201);
    options.receive(DONT, 200);
    options.receive(WONT, 201);
    assert.deepEqual(sent, [[IAC, WONT, 200].join(' '), [IAC, DONT, 201].join(' ')]);
  });

  it('RFC 1143 §7: a repeated request is not answered again', () => {
    const { options, sent } = make();
    for (let i = 0; i < 1000; i++) options.receive(DO, OPTION_ECHO);
    assert.deepEqual(sent, [[IAC, WILL, OPTION_ECHO].join(' ')]);
  });

  it('stops answering a storm, and says so once', () => {
    const { options, sent, storms } = make();
    for (let i = 0; i < 100_000; i++) options.receive(i % 2 === 0 ? DO : DONT, OPTION_ECHO);
    assert.equal(sent.length, 256);
    assert.equal(storms(), 1);
  });

  it('RFC 1091: asks for the terminal type once and reads it', () => {
    const { options, sent } = make();
    options.start();
    sent.length = 0;
    options.receive(WILL, OPTION_TTYPE);
    assert.deepEqual(sent, [[IAC, SB, OPTION_TTYPE, 1, IAC, SE].join(' ')]);
    options.receiveSubnegotiation(OPTION_TTYPE, Buffer.from('\0xterm-256color'));
    assert.equal(options.terminalType, 'XTERM-256COLOR');
    options.receiveSubnegotiation(OPTION_TTYPE, Buffer.from('\0\x1b[2J'));
    assert.equal(options.terminalType, 'XTERM-256COLOR');
  });

  it('RFC 1073: takes window sizes within bounds; 0 means unknown', () => {
    const { options } = make();
    options.receiveSubnegotiation(OPTION_NAWS, Buffer.from([0, 132, 0, 50]));
    assert.deepEqual([options.columns, options.rows], [132, 50]);
    options.receiveSubnegotiation(OPTION_NAWS, Buffer.from([255, 255, 0, 1]));
    assert.deepEqual([options.columns, options.rows], [500, 4]);
    options.receiveSubnegotiation(OPTION_NAWS, Buffer.from([0, 0, 0, 0]));
    assert.deepEqual([options.columns, options.rows], [undefined, undefined]);
    options.receiveSubnegotiation(OPTION_NAWS, Buffer.from([0, 80]));
    assert.equal(options.columns, undefined);
  });

  it('two of our own ends settle', () => {
    const queue: [TelnetOptions, number, number][] = [];
    let other: TelnetOptions;
    const relay = (to: () => TelnetOptions) => (bytes: Buffer) => {
      for (let i = 0; i + 2 < bytes.length; i += 3)
        if (bytes[i + 1] !== SB) queue.push([to(), bytes[i + 1]!, bytes[i + 2]!]);
    };
    const one: TelnetOptions = new TelnetOptions(
      relay(() => other),
      assert.fail,
    );
    other = new TelnetOptions(
      relay(() => one),
      assert.fail,
    );
    one.start();
    other.start();
    let steps = 0;
    for (let next = queue.shift(); next; next = queue.shift()) {
      assert.ok(++steps < 100, 'they loop');
      next[0].receive(next[1], next[2]);
    }
  });
});
