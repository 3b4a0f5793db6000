// `ims mml -f … --step` at a real terminal.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestConsole, type TestConsole } from '../support/mml-console.js';
import { mmlTestServices } from '../support/mml-services.js';
import { Pty } from '../support/pty.js';
import { MAIN_JS, runIms } from '../support/server.js';

const SCRIPT = `// five commands
DSP VERSION;
LST USER: USERNAME=nobody;
ADD USER: USERNAME=1001,
  PASSWORD=hush-hush;
LST USER;
DSP REG;
`;

describe('ims mml --step', { timeout: 60_000 }, () => {
  let server: TestConsole;
  let file: string;
  const services = mmlTestServices();
  before(async () => {
    server = await startTestConsole(services);
    file = join(server.directory, 'steps.mml');
    await writeFile(file, SCRIPT);
  });
  after(() => server.close());

  async function step(play: (pty: Pty) => Promise<void>): Promise<{ code: number; shown: string }> {
    const pty = Pty.start(
      `${process.execPath} ${MAIN_JS} mml --data-dir ${server.directory} -f ${file} --step`,
    );
    try {
      await play(pty);
      return { code: await pty.untilExit(), shown: pty.text };
    } finally {
      pty.close();
    }
  }

  it('asks before each command: yes, no, and all the rest after a failure', async () => {
    const { code, shown } = await step(async (pty) => {
      assert.match(await pty.until('[q]uit? '), /1\/5 {2}line 2 {2}DSP VERSION;\r\n/);
      pty.type('\r');
      assert.match(
        await pty.until('[q]uit? '),
        /--- {4}END\r\n2\/5 {2}line 3 {2}LST USER: USERNAME=nobody;\r\n/,
      );
      pty.type('what\r');
      await pty.until('[q]uit? ');
      pty.type('y\r');
      const asked = await pty.until('[q]uit? ');
      assert.match(
        asked,
        /RETCODE = 4001 [\s\S]*failed at line 3, RETCODE 4001\r\n3\/5 {2}line 4 {2}ADD USER: /,
      );
      pty.type('n\r');
      assert.match(await pty.until('[q]uit? '), /4\/5 {2}line 6 {2}LST USER;/);
      pty.type('a\r');
      assert.match(await pty.until('%%DSP REG;%%'), /%%LST USER;%%/);
    });
    assert.equal(code, 1, 'one command failed');
    assert.equal(services.userMap.size, 0, 'the one that was left out did not run');
    assert.doesNotMatch(shown, /hush/);
  });

  for (const [name, keys] of [
    ['q', 'q\r'],
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ] as const)
    it(`${name} ends it before the command that is asked for`, async () => {
      const { code, shown } = await step(async (pty) => {
        await pty.until('[q]uit? ');
        pty.type('y\r');
        await pty.until('[q]uit? ');
        pty.type(keys);
      });
      assert.equal(code, 1);
      assert.match(shown, /ims mml: ended before line 3\r\n$/);
      assert.doesNotMatch(shown, /%%LST USER/);
    });

  it('needs a terminal and a file', async () => {
    const env = process.env as Record<string, string>;
    for (const args of [['-f', file], ['-f', '-'], ['DSP VERSION']]) {
      const { code, stderr } = await runIms(env, ['mml', '--data-dir', server.directory, '--step', ...args]);
      assert.equal(code, 2);
      assert.match(stderr, /--step needs a script file .* and a terminal/);
    }
  });
});
