// media/icon.png, which the gallery wants as pixels, from media/icon.svg: `node scripts/icon.mjs`
import path from 'node:path';
import sharp from 'sharp';

const media = path.join(import.meta.dirname, '..', 'media');
await sharp(path.join(media, 'icon.svg'), { density: 144 })
  .resize(256, 256)
  .png({ compressionLevel: 9 })
  .toFile(path.join(media, 'icon.png'));
