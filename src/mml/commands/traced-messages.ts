import type { TraceService, WireMessage } from '../../trace/types.js';
import { MmlError } from '../errors.js';
import type { ParamSpec } from '../registry/command.js';
import { string } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

/** Records looked through for the other legs of a call that is over. */
const RECORDS_SEARCHED = 200;

/** `CALLID=` of the trace commands. */
export const CALLID = {
  type: string(),
  purpose: text('SIP Call-ID, or the call as DSP CALL and LST CDR show it', 'SIP Call-ID，或呼叫号'),
  example: '"a84b4c76e66710@pc33"',
} as const satisfies ParamSpec;

/** Where messages are kept; throws MmlError 5002 when the SIP engine is elsewhere. */
export function tracesOf({ traces }: Services): TraceService {
  if (traces) return traces;
  const reason = text('only the built-in SIP engine keeps messages', '仅内置 SIP 引擎支持消息跟踪');
  throw new MmlError(5002, { part: text('The SIP engine', 'SIP 引擎'), reason });
}

/** The messages of all legs of a call; throws MmlError 4001 when none were kept. */
export async function messagesOfCall(
  services: Services,
  messages: readonly WireMessage[],
  wanted: string,
): Promise<readonly WireMessage[]> {
  const callIds = new Set(await callIdsOf(services, wanted));
  const found = messages.filter(({ callId }) => callIds.has(callId));
  if (found.length === 0) throw noSuchTrace(wanted);
  return found;
}

/** The Call-IDs of all legs of a call that is named by one of them or by its own name. */
export async function callIdsOf({ calls, records }: Services, wanted: string): Promise<string[]> {
  for (const { id, callId } of calls.list()) {
    const legs = new Set([callId]);
    for (const { event } of calls.get(id)?.timeline ?? [])
      if (event.kind === 'attempt') legs.add(event.callId);
    if (id === wanted || legs.has(wanted)) return [...legs];
  }
  // A Store that is away hides the other leg, not this one.
  const recent = await records.query({ limit: RECORDS_SEARCHED }).catch(() => ({ records: [] }));
  for (const { id, callId, bCallIds } of recent.records)
    if (id === wanted || callId === wanted || bCallIds.includes(wanted)) return [callId, ...bCallIds];
  return [wanted];
}

function noSuchTrace(name: string): MmlError {
  const hint = text(
    'Begin with STR TRACE before the call; DSP TRACE lists what was kept',
    '请在呼叫前执行 STR TRACE；DSP TRACE 列出已保存的呼叫',
  );
  return new MmlError(4001, { what: text('traced call', '被跟踪的呼叫'), name, hint });
}
