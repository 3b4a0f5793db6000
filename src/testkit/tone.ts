const SAMPLE_RATE_HZ = 8000;
const AMPLITUDE = 8000;
const BIAS = 0x84;
const CLIP = 32_635;
/** Share of the energy that must sit at one frequency for it to count as a tone. */
const TONE_SHARE = 0.5;

/** One sample to µ-law (ITU-T G.711). */
export function toMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = Math.max(0, 24 - Math.clz32(magnitude));
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** One µ-law byte to a sample (ITU-T G.711). */
export function fromMuLaw(byte: number): number {
  const value = ~byte & 0xff;
  const exponent = (value >> 4) & 0x07;
  const magnitude = (((value & 0x0f) << 3) + BIAS) * 2 ** exponent - BIAS;
  return value & 0x80 ? -magnitude : magnitude;
}

/** `count` µ-law samples of a sine, from sample `from` on, so that packets join without a click. */
export function toneSamples(frequencyHz: number, from: number, count: number): Buffer {
  const samples = Buffer.alloc(count);
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * frequencyHz * (from + i)) / SAMPLE_RATE_HZ;
    samples[i] = toMuLaw(Math.round(AMPLITUDE * Math.sin(angle)));
  }
  return samples;
}

/** Which of `candidatesHz` fills the audio; 0 when none does. */
export function toneOf(muLaw: Buffer, candidatesHz: readonly number[]): number {
  return toneOfSamples(Array.from(muLaw, fromMuLaw), candidatesHz);
}

/** The same for samples at 8 kHz. */
export function toneOfSamples(samples: readonly number[], candidatesHz: readonly number[]): number {
  return candidatesHz.find((frequencyHz) => shareOf(samples, frequencyHz) > TONE_SHARE) ?? 0;
}

/** The share of the energy that sits at one frequency, 0..1 (Goertzel's algorithm); 0 for silence. */
export function shareOf(samples: readonly number[], frequencyHz: number): number {
  const energy = samples.reduce((sum, sample) => sum + sample * sample, 0);
  if (energy === 0) return 0;
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ);
  let [previous, beforeThat] = [0, 0];
  for (const sample of samples)
    [previous, beforeThat] = [sample + coefficient * previous - beforeThat, previous];
  const power = previous * previous + beforeThat * beforeThat - coefficient * previous * beforeThat;
  return (2 * power) / (samples.length * energy);
}
