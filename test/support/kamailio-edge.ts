import { startKamailio, type TestKamailio } from './kamailio.js';

/** Where the server behind the edge is, and how the edge speaks to it. */
export interface EdgeOptions {
  readonly serverPort: number;
  readonly transport: 'udp' | 'tcp';
}

/**
 * A real Kamailio as the edge proxy in front of the server: phones speak UDP to it, it records its route and its Path. The
 * caller closes it.
 */
export function startEdge(options: EdgeOptions): Promise<TestKamailio> {
  return startKamailio((port) => configuration(port, options));
}

function configuration(port: number, { serverPort, transport }: EdgeOptions): string {
  const isFromServer = transport === 'udp' ? `$sp == ${serverPort}` : '$proto == "tcp"';
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "path.so"
modparam("rr", "enable_double_rr", 1)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && !has_totag()) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (!loose_route()) {
      if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
      sl_send_reply("404", "Not Here");
      exit;
    }
    t_relay();
    exit;
  }
  if (${isFromServer}) {
    # Our Path came back as a Route (RFC 3327): without it nothing goes to a phone.
    if (!is_present_hf("Route")) { sl_send_reply("403", "No Path"); exit; }
    loose_route();
    record_route();
    t_relay();
    exit;
  }
  if (is_method("REGISTER")) add_path();
  else record_route();
  $du = "sip:127.0.0.1:${serverPort};transport=${transport}";
  t_relay();
}
`;
}
