import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from './frame.js';

/** A stretch of a tone: frequencies that sound together, none for a pause, and how long, milliseconds. */
interface Part {
  readonly hz: readonly number[];
  readonly ms: number;
}

/** Loudness of each frequency of a tone: about -13 dBm0, and less when several sound together. */
const AMPLITUDE = 5000;

/** The special information tone of ITU-T E.180: three rising tones, then a second of silence. */
const SPECIAL_INFORMATION: readonly Part[] = [
  { hz: [950], ms: 330 },
  { hz: [1400], ms: 330 },
  { hz: [1800], ms: 330 },
  { hz: [], ms: 1000 },
];

/** Tones that need no file: cadences of ITU-T E.180 at its 425 Hz, and short signs for conferences. */
const CADENCES = {
  ringing: [
    { hz: [425], ms: 1000 },
    { hz: [], ms: 4000 },
  ],
  busy: [
    { hz: [425], ms: 480 },
    { hz: [], ms: 480 },
  ],
  congestion: [
    { hz: [425], ms: 240 },
    { hz: [], ms: 240 },
  ],
  sit: SPECIAL_INFORMATION,
  beep: [{ hz: [1000], ms: 200 }],
  join: [
    { hz: [620], ms: 120 },
    { hz: [930], ms: 160 },
  ],
  leave: [
    { hz: [930], ms: 120 },
    { hz: [620], ms: 160 },
  ],
} as const satisfies Record<string, readonly Part[]>;

/** Name of a tone that is made here. */
export type ToneName = keyof typeof CADENCES;

/** All of them. */
export const TONE_NAMES = Object.keys(CADENCES) as ToneName[];

/** One cadence of a tone as 8 kHz samples, whole frames long. */
export function makeTone(name: ToneName): Int16Array {
  const parts: readonly Part[] = CADENCES[name];
  const length = parts.reduce((sum, { ms }) => sum + samplesOf(ms), 0);
  const samples = new Int16Array(Math.ceil(length / FRAME_SAMPLES) * FRAME_SAMPLES);
  let at = 0;
  for (const part of parts) {
    const count = samplesOf(part.ms);
    for (let i = 0; i < count; i++) samples[at + i] = valueAt(part.hz, i, count);
    at += count;
  }
  return samples;
}

function samplesOf(ms: number): number {
  return (ms * SAMPLE_RATE_HZ) / 1000;
}

/** Faded in and out over 5 ms, so that nothing clicks. */
function valueAt(frequencies: readonly number[], i: number, count: number): number {
  const edge = Math.min(1, i / 40, (count - 1 - i) / 40);
  const sum = frequencies.reduce((value, hz) => value + Math.sin((2 * Math.PI * hz * i) / SAMPLE_RATE_HZ), 0);
  return Math.round((AMPLITUDE * edge * sum) / Math.max(1, frequencies.length));
}
