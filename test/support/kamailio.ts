import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freeUdpPort } from './free-port.js';
import { programPath } from './peers.js';
import { SipPeer } from './sip-peer.js';

const READY_TIMEOUT_MS = 15_000;

/** A real Kamailio that runs. */
export interface TestKamailio {
  readonly port: number;
  /** What it said, for a failure's message. */
  output(): string;
  close(): Promise<void>;
}

export interface CarrierOptions {
  readonly password: string;
  /** Where calls of its subscribers go. */
  readonly networkPort: number;
}

export type TestCarrier = TestKamailio;

/** A carrier: subscribers register with it by digest, their calls are challenged, and it calls them. The caller closes it. */
export function startCarrier(options: CarrierOptions): Promise<TestCarrier> {
  return startKamailio((port) => configuration(port, options));
}

/** Starts one with a configuration for its port and waits until it answers OPTIONS. The caller closes it. */
export async function startKamailio(configure: (port: number) => string): Promise<TestKamailio> {
  const directory = mkdtempSync(join(tmpdir(), 'ims-kamailio-'));
  const port = await freeUdpPort();
  const file = join(directory, 'kamailio.cfg');
  writeFileSync(file, configure(port));
  const memory = ['-m', '32', '-M', '4'];
  const child = spawn(programPath('kamailio'), ['-f', file, '-DD', '-E', ...memory, '-Y', directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const close = async (): Promise<void> => {
    await stop(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await ready(port, child);
  } catch (error) {
    await close();
    throw new Error(`kamailio did not start:\n${output}`, { cause: error });
  }
  return { port, output: () => output, close };
}

async function ready(port: number, child: ChildProcess): Promise<void> {
  const probe = await SipPeer.open({ username: 'probe', server: { address: '127.0.0.1', port } });
  const deadline = Date.now() + READY_TIMEOUT_MS;
  try {
    while (Date.now() < deadline && child.exitCode === null) {
      const options = probe.request('OPTIONS', `sip:127.0.0.1:${port}`);
      probe.send(options);
      const answer = await Promise.race([probe.final(options).catch(() => undefined), delay(300)]);
      if (answer) return;
    }
    throw new Error('no answer to OPTIONS');
  } finally {
    await probe.close();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(timer);
}

function configuration(port: number, { password, networkPort }: CarrierOptions): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=1
auto_aliases=no
alias="carrier.example"
listen=udp:127.0.0.1:${port}
disable_tcp=yes
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
modparam("auth", "nonce_expire", 2)
modparam("registrar", "max_expires", 4)
modparam("tm", "fr_inv_timer", 20000)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && !has_totag()) { sl_send_reply("200", "OK"); exit; }
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("carrier.example", "${password}", "0")) { www_challenge("carrier.example", "0"); exit; }
    consume_credentials();
    save("location");
    exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (!loose_route() && !is_method("ACK")) { sl_send_reply("404", "Not Here"); exit; }
    t_relay();
    exit;
  }
  if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  record_route();
  if ($sp == ${networkPort}) {
    $ru = "sip:acme@carrier.example";
    if (!lookup("location")) { sl_send_reply("480", "Not Registered"); exit; }
    t_relay();
    exit;
  }
  if (!pv_proxy_authenticate("carrier.example", "${password}", "0")) { proxy_challenge("carrier.example", "0"); exit; }
  consume_credentials();
  $du = "sip:127.0.0.1:${networkPort}";
  t_relay();
}
`;
}
