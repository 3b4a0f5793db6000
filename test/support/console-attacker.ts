import { terminalAnswer, WireClient } from './mml-console.js';
import { ScriptedSsh, until } from './scripted-ssh.js';

/**
 * A process that treats the console of a server badly in every way at once, so that the test's own phones are not slowed by
 * it: `node console-attacker.js <telnet port> <ssh port> [attack]`. Prints what it did and ends by itself.
 */
const [telnetPort, sshPort] = process.argv.slice(2, 4).map(Number) as [number, number];
const only = process.argv[4];
const PASSWORD = 'admin-secret';
const IAC = 255;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let turn = 0;
/** Every attack comes from an address of its own. */
const address = () => `127.0.3.${++turn}`;

/** Passwords are checked one at a time; who waits for that does not attack. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<T>(login: () => Promise<T>): Promise<T> {
  const mine = last.then(login);
  last = mine.catch(() => undefined);
  return mine;
}

const telnet = async () => {
  const client = await WireClient.open(telnetPort, address());
  await client.until('login: ');
  return client;
};
const inside = (isTerminal = false) => inTurn(() => enter(isTerminal));
const enter = async (isTerminal: boolean) => {
  const client = await telnet();
  if (isTerminal) client.send(terminalAnswer());
  client.send(`admin\r\n`);
  await client.until('password: ');
  client.send(`${PASSWORD}\r\n`);
  if (isTerminal) await client.until('MML> ');
  else {
    client.send('LST SESSION\n');
    await client.until('END\r\n');
  }
  return client;
};
const ssh = () => inTurn(() => ScriptedSsh.login(sshPort, { localAddress: address(), password: PASSWORD }));
/** The same noise each time. */
const noise = (length: number) => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7919 + (i >> 3)) & 255;
  return bytes;
};

const attacks: Record<string, () => Promise<void>> = {
  'negotiation storm': async () => {
    const client = await telnet();
    const storm = Buffer.alloc(400_000);
    for (let i = 0; i < storm.length; i += 2) storm.set([IAC, 253 + (i % 3)], i);
    client.send(storm);
  },
  'Are You There': async () => (await telnet()).send(Buffer.alloc(400_000, Buffer.from([IAC, 246]))),
  'empty names': async () => (await telnet()).send('\n'.repeat(400_000)),
  'too much before login': async () =>
    (await telnet()).send(Buffer.alloc(4_000_000, Buffer.from([IAC, 241]))),
  'megabytes without a line end': async () => (await inside()).send(Buffer.alloc(4_000_000, 'x')),
  'megabytes at a terminal': async () => (await inside(true)).send(Buffer.alloc(2_000_000, 'y')),
  'NUL and noise': async () =>
    (await inside()).send(Buffer.concat([Buffer.alloc(500_000), noise(1_000_000)])),
  'pasted commands': async () => (await inside()).send('DSP VERSION\n'.repeat(1500)),
  'a line of commands': async () => (await inside()).send(`${'X;'.repeat(2000)}\n`.repeat(3)),
  'help and completion': async () =>
    (await inside(true)).send(`${'?'.repeat(300)}LST U\t\t\t${'\t'.repeat(300)}\r`),
  'unread output': async () => {
    const client = await inside();
    client.socket.pause();
    client.send('HLP\nLST CFG\n'.repeat(1000));
  },
  'half closed': async () => void (await inside()).socket.end('DSP VERSION\n'),
  'silent crowd': async () => {
    for (let i = 0; i < 100; i++) await WireClient.open(telnetPort, '127.0.4.1').catch(() => undefined);
  },
  'silent SSH crowd': async () => {
    for (let i = 0; i < 100; i++) await WireClient.open(sshPort, '127.0.4.2').catch(() => undefined);
  },
  'wrong passwords': async () => {
    const client = await telnet();
    for (let i = 0; i < 3; i++) client.send('admin\nwrong\n');
    await inTurn(() => client.untilClosed());
  },
  'wrong passwords by SSH': async () => {
    const password = { type: 'password', username: 'admin', password: 'wrong' };
    const options = { localAddress: address(), authHandler: () => password as never };
    await inTurn(() => ScriptedSsh.login(sshPort, options)).catch(() => undefined);
  },
  'rubbish to SSH': async () => {
    for (let i = 0; i < 20; i++) {
      const client = await WireClient.open(sshPort, address());
      client.send('SSH-2.0-x\r\n');
      client.send(noise(20_000));
    }
  },
  'SSH ended at once': async () => {
    for (let i = 0; i < 5; i++) {
      const client = await ssh().catch(() => undefined);
      void client?.run('DSP VERSION').catch(() => undefined);
      await pause(i);
      client?.close();
    }
  },
  'SSH commands': async () => {
    const client = await ssh();
    for (let i = 0; i < 30; i++) await client.run('DSP VERSION');
  },
  'unread output of SSH': async () => {
    const client = await ssh();
    const shell = await client.shell(false);
    client.socket.pause();
    shell.write('HLP\nLST CFG\n'.repeat(1000));
  },
  'megabytes at an SSH terminal': async () => {
    const client = await ssh();
    const shell = await client.shell();
    await until(shell, 'MML> ');
    shell.write(Buffer.alloc(2_000_000, 'z'));
  },
};

const outcomes = await Promise.allSettled(
  Object.entries(attacks).map(async ([name, attack]) => {
    if (only !== undefined && only !== name) return name;
    await attack().catch((error: unknown) => {
      throw new Error(`${name}: ${String(error)}`);
    });
    return name;
  }),
);
for (const outcome of outcomes) {
  process.stdout.write(`${outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)}\n`);
}
// What was sent has some time to do its work.
await pause(2000);
process.exit(0);
