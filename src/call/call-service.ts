import type { CallRecord, TimelineEntry } from '../cdr/types.js';
import type { MediaStreamStats } from '../media/types.js';
import { parseSdp } from '../sdp/session-description.js';
import type { Call } from './call.js';
import type { CallRegistry } from './call-registry.js';
import { causeOf } from './causes.js';
import type { CallService, CallView } from './types.js';

/** Live calls as MML and HTTP see them. */
export class LiveCallService implements CallService {
  constructor(protected readonly registry: CallRegistry) {}

  list(): CallView[] {
    return this.registry.list().map(viewOf);
  }

  get(id: string): (CallView & { readonly timeline: readonly TimelineEntry[] }) | undefined {
    const call = this.registry.get(id);
    return call && { ...viewOf(call), timeline: call.timeline };
  }

  async media(id: string): Promise<MediaStreamStats[] | undefined> {
    return this.registry.get(id)?.media.stats();
  }

  count(): { active: number; connected: number; total: number } {
    const calls = this.registry.list();
    const connected = calls.filter((call) => call.isConnected).length;
    return { active: calls.length, connected, total: this.registry.totalSeen };
  }

  async end(id: string): Promise<CallRecord | undefined> {
    return this.registry.get(id)?.end({ cause: causeOf('operator-ended'), by: 'OPERATOR' });
  }
}

function viewOf(call: Call): CallView {
  const { a, near, fork, parties, answerTime } = call;
  const target = (fork.winner ?? fork.ringing[0] ?? fork.legs.at(-1))?.target;
  const codec = codecOf(call.media.lastAnswer);
  return {
    id: call.id,
    state: call.state,
    callId: a.callId,
    ...parties,
    callerAddress: `${near.target.address}:${near.target.port}`,
    ...(target && { calleeAddress: `${target.address}:${target.port}` }),
    startTime: call.startTime,
    ...(answerTime !== undefined && { answerTime }),
    ...(codec !== undefined && { codec }),
  };
}

/** First codec of the first live stream of an answer. */
function codecOf(answer: string | undefined): string | undefined {
  if (answer === undefined) return undefined;
  try {
    return parseSdp(answer).streams.find((stream) => stream.port !== 0)?.codecs[0];
  } catch {
    return undefined;
  }
}
