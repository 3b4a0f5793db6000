import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const SAMPLE_RATE_HZ = 8000;
const AMPLITUDE = 8000;
const BYTES_PER_SAMPLE = 2;
const HEADER_BYTES = 44;

/** Writes a WAV file of a sine: 16 bit, 8 kHz, one channel. */
export function writeToneWav(path: string, frequencyHz: number, lengthSec: number): void {
  const count = SAMPLE_RATE_HZ * lengthSec;
  const file = Buffer.alloc(HEADER_BYTES + count * BYTES_PER_SAMPLE);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16); // Size of the format chunk.
  file.writeUInt16LE(1, 20); // PCM.
  file.writeUInt16LE(1, 22); // Channels.
  file.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  file.writeUInt32LE(SAMPLE_RATE_HZ * BYTES_PER_SAMPLE, 28);
  file.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  file.writeUInt16LE(8 * BYTES_PER_SAMPLE, 34);
  file.write('data', 36);
  file.writeUInt32LE(count * BYTES_PER_SAMPLE, 40);
  for (let i = 0; i < count; i++) {
    const sample = AMPLITUDE * Math.sin((2 * Math.PI * frequencyHz * i) / SAMPLE_RATE_HZ);
    file.writeInt16LE(Math.round(sample), HEADER_BYTES + i * BYTES_PER_SAMPLE);
  }
  writeFileSync(path, file);
}

/** Samples of such a file, also of one that is still being written and whose header states no length yet. */
export function readWav(path: string): number[] {
  if (!existsSync(path)) return [];
  const file = readFileSync(path);
  const samples: number[] = [];
  for (let at = HEADER_BYTES; at + BYTES_PER_SAMPLE <= file.length; at += BYTES_PER_SAMPLE)
    samples.push(file.readInt16LE(at));
  return samples;
}
