/** A picture of a tent as a data URL: a PNG drawn here, so that no binary file is kept. */
import { crc32, deflateSync } from 'node:zlib';

const [WIDTH, HEIGHT] = [300, 180] as const;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const [SKY, MEADOW, CANVAS, SHADE, DOOR] = [
  [191, 219, 240],
  [122, 168, 98],
  [226, 128, 52],
  [190, 98, 36],
  [70, 44, 30],
] as const;

export function tentPicture(): string {
  const rows = Buffer.alloc(HEIGHT * (1 + WIDTH * 3));
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) rows.set(colorAt(x, y), y * (1 + WIDTH * 3) + 1 + x * 3);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(WIDTH, 0);
  head.writeUInt32BE(HEIGHT, 4);
  // 8 bits of red, green and blue each.
  head.set([8, 2], 8);
  const parts = [chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return `data:image/png;base64,${Buffer.concat([SIGNATURE, ...parts]).toString('base64')}`;
}

function colorAt(x: number, y: number): readonly number[] {
  const below = y - 35;
  const aside = x - 140;
  const inTent = y < 150 && below > 0;
  if (inTent && Math.abs(aside) < below * 0.2) return DOOR;
  if (inTent && aside < 0 && -aside < below * 0.8) return CANVAS;
  if (inTent && aside >= 0 && aside < below * 1.1) return aside < below * 0.6 ? CANVAS : SHADE;
  return y > 125 ? MEADOW : SKY;
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
