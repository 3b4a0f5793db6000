/** A WAV file around `data`; 16-bit PCM, 8 kHz, one channel unless said otherwise. */
export function makeWav(
  data: Buffer,
  {
    tag = 1,
    channels = 1,
    rateHz = 8000,
    bits = 16,
  }: Partial<Record<'tag' | 'channels' | 'rateHz' | 'bits', number>> = {},
): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rateHz, 24);
  header.writeUInt32LE((rateHz * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
