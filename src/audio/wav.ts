import { SoundError } from './errors.js';
import { SAMPLE_RATE_HZ } from './frame.js';
import { decodeG711 } from './g711.js';

/** Format tags of RFC 2361 that are taken; EXTENSIBLE names one of them in its sub-format. */
const PCM = 0x0001;
const A_LAW = 0x0006;
const MU_LAW = 0x0007;
const EXTENSIBLE = 0xfffe;

/** How to make a file that is taken, for people who have one that is not. */
const CONVERT =
  'convert it: ffmpeg -i IN.wav -ar 8000 -ac 1 -c:a pcm_s16le OUT.wav, or sox IN.wav -r 8000 -c 1 -b 16 OUT.wav';

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly rateHz: number;
  readonly bits: number;
}

/**
 * Reads a WAV file into 8 kHz mono samples: 16-bit PCM or G.711, one or two channels (which are added at half their
 * loudness). Chunks of other kinds are passed over; a length that overruns the file, as of one whose writer was cut
 * short, counts to the end of the file. Throws SoundError with the reason and what to do.
 */
export function decodeWav(file: Buffer): Int16Array {
  if (
    file.length < 12 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 12) !== 'WAVE'
  )
    throw new SoundError(`no WAV file: it does not begin with RIFF and WAVE; ${CONVERT}`);
  let format: Format | undefined;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, Math.min(at + 8 + size, file.length));
    if (id === 'fmt ') format = readFormat(body);
    if (id === 'data') return readSamples(format, body);
    // Chunks begin at even places.
    at += 8 + size + (size & 1);
  }
  throw new SoundError('the WAV file has no data chunk');
}

function readFormat(body: Buffer): Format {
  if (body.length < 16) throw new SoundError('the format chunk of the WAV file is too short');
  const tag = body.readUInt16LE(0);
  const isExtensible = tag === EXTENSIBLE && body.length >= 26;
  return {
    tag: isExtensible ? body.readUInt16LE(24) : tag,
    channels: body.readUInt16LE(2),
    rateHz: body.readUInt32LE(4),
    bits: body.readUInt16LE(14),
  };
}

function readSamples(format: Format | undefined, data: Buffer): Int16Array {
  if (!format) throw new SoundError('the WAV file has its data before its format');
  const { tag, channels, rateHz, bits } = format;
  if (rateHz !== SAMPLE_RATE_HZ)
    throw new SoundError(`the WAV file has ${rateHz} samples a second, 8000 are needed; ${CONVERT}`);
  if (channels !== 1 && channels !== 2)
    throw new SoundError(`the WAV file has ${channels} channels, 1 or 2 are taken; ${CONVERT}`);
  const samples = expand(tag, bits, data);
  return channels === 1 ? samples : toMono(samples);
}

function expand(tag: number, bits: number, data: Buffer): Int16Array {
  if (tag === PCM && bits === 16) {
    const samples = new Int16Array(data.length >> 1);
    // As one copy: this thread carries live audio. Hosts have the byte order of the file.
    Buffer.from(samples.buffer).set(data.subarray(0, samples.byteLength));
    return samples;
  }
  if ((tag === A_LAW || tag === MU_LAW) && bits === 8) {
    const samples = new Int16Array(data.length);
    decodeG711(tag === A_LAW ? 'PCMA' : 'PCMU', data, samples);
    return samples;
  }
  const what = tag === PCM ? `${bits}-bit PCM` : `format ${tag}`;
  throw new SoundError(`the WAV file holds ${what}, 16-bit PCM or 8-bit G.711 is needed; ${CONVERT}`);
}

function toMono(samples: Int16Array): Int16Array {
  const mono = new Int16Array(samples.length >> 1);
  for (let i = 0; i < mono.length; i++) mono[i] = (samples[2 * i]! + samples[2 * i + 1]!) >> 1;
  return mono;
}
