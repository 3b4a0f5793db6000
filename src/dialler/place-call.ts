import type { User } from '../accounts/types.js';
import type { AudioHost, Sound } from '../audio/types.js';
import type { Call } from '../call/call.js';
import type { Originator } from '../call/originate.js';
import type { Clock } from '../platform/clock.js';
import { randomToken } from '../platform/ids.js';
import type { DialTask, Target } from './dial-job.js';
import { PlayingCaller } from './playing-caller.js';

export interface PlaceCallDeps {
  readonly calls: Originator;
  readonly audio: Pick<AudioHost, 'open'>;
  readonly clock: Clock;
}

/** Who calls a number of which job, and what it hears. */
export interface Placing {
  readonly task: DialTask;
  readonly target: Target;
  readonly user: User;
  readonly sound: Sound;
}

/** A call that has begun; `record` resolves when it is over. */
export interface PlacedCall {
  readonly call: Call;
  readonly record: ReturnType<Call['closed']>;
}

/** Calls a number once: the target follows what happens, and the call ends when nobody answers in the time of the job. */
export function placeCall(deps: PlaceCallDeps, { task, target, user, sound }: Placing): PlacedCall {
  const { clock } = deps;
  const caller = new PlayingCaller({
    audio: deps.audio,
    clock,
    sound,
    repeat: task.repeat,
    onRinging: () => {
      target.state = 'ringing';
    },
    onAnswer: () => {
      clock.clearTimeout(noAnswer);
      target.state = 'talking';
    },
    onEnd: () => {
      const { isPlayed, digits } = caller;
      target.isPlayed = isPlayed;
      target.digits = digits;
      const played = isPlayed ? 'whole' : 'part';
      const extra = { dialJob: task.id, sound: task.sound, played, ...(digits && { digits }) };
      call.trail.add({ kind: 'noted', facts: { extra } });
    },
  });
  const callId = `${randomToken(16)}@dialler`;
  const call = deps.calls.originate({ user, to: target.number, by: task.by, method: 'DIAL', callId }, caller);
  const giveUp = (): void => call.finish('callee-no-answer', 'SERVER');
  const noAnswer = clock.setTimeout(giveUp, task.noAnswerSec * 1000);
  return { call, record: call.closed().finally(() => clock.clearTimeout(noAnswer)) };
}
