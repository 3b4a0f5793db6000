import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { freeUdpPort } from '../../test/support/free-port.js';
import { missing, programPath } from '../../test/support/peers.js';
import { sumMs, threadTimes } from './cpu.js';
import { stopProcess } from './measured-process.js';
import { untilAnswersSip } from './sip-ping.js';

/** A registrar with digest, and a transaction-stateful proxy that records its route, for calls to one address. */
const config = (port: number, callee: string): string => `#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:${port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("REGISTER")) {
    if (!pv_auth_check("ims", "bench-secret", "0", "0")) { auth_challenge("ims", "1"); exit; }
    save("location");
    exit;
  }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
    sl_send_reply("404", "Not Here");
    exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  t_check_trans();
  record_route();
  $du = "sip:${callee}";
  if (!t_relay()) { sl_reply_error(); }
}
`;

/** Kamailio as the reference for calls and registrations; undefined when it is not installed. */
export class Kamailio {
  private constructor(
    private readonly child: ChildProcess,
    readonly target: string,
  ) {}

  static async start(dir: string, callee: string): Promise<Kamailio | undefined> {
    if (missing('kamailio') !== false) return undefined;
    const port = await freeUdpPort();
    const file = `${dir}/kamailio.cfg`;
    writeFileSync(file, config(port, callee));
    const args = ['-f', file, '-DD', '-E', '-Y', dir, '-w', dir, '-m', '64', '-M', '16'];
    const child = spawn(programPath('kamailio'), args, { cwd: dir, stdio: 'ignore' });
    const kamailio = new Kamailio(child, `127.0.0.1:${port}`);
    try {
      await untilAnswersSip(port);
      return kamailio;
    } catch (error) {
      await kamailio.stop();
      throw error;
    }
  }

  /** CPU of all its processes so far, milliseconds. */
  cpuMs(): number {
    return sumMs(threadTimes(this.child.pid ?? 0));
  }

  stop(): Promise<void> {
    return stopProcess(this.child);
  }
}
