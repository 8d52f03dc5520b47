// Loaded only when asked for: a machine without sharp's native part must still be able to say so.

import sharp from 'sharp';

/** Encodes a picture; throws where that cannot be done. */
export async function probeImages(): Promise<string> {
  await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  return `sharp ${sharp.versions.sharp ?? ''} with libvips ${sharp.versions.vips}`;
}
