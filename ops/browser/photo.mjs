// A photo as a phone takes it: a JPEG that says where it was taken.
const APP1 = 0xffe1;
const GPS_POINTER = 0x8825;

function exifWithPlace() {
  const tiff = Buffer.alloc(128);
  tiff.write('MM\0*', 0, 'latin1');
  tiff.writeUInt32BE(8, 4);
  const entry = (at, tag, type, count, value) => {
    tiff.writeUInt16BE(tag, at);
    tiff.writeUInt16BE(type, at + 2);
    tiff.writeUInt32BE(count, at + 4);
    if (typeof value === 'string') tiff.write(value, at + 8, 'latin1');
    else tiff.writeUInt32BE(value, at + 8);
  };
  tiff.writeUInt16BE(1, 8);
  entry(10, GPS_POINTER, 4, 1, 26);
  tiff.writeUInt16BE(4, 26);
  entry(28, 1, 2, 2, 'N\0');
  entry(40, 2, 5, 3, 80);
  entry(52, 3, 2, 2, 'E\0');
  entry(64, 4, 5, 3, 104);
  const degrees = [22, 1, 33, 1, 5, 1, 114, 1, 3, 1, 28, 1];
  degrees.forEach((number, n) => tiff.writeUInt32BE(number, 80 + 4 * n));
  const content = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(APP1, 0);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

// A path at night, with the lamp dark or lit.
export async function photo(browser, lit) {
  const page = await browser.newPage();
  const data = await page.evaluate((on) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1200, 900];
    const paint = canvas.getContext('2d');
    const fill = (colour, ...box) => {
      paint.fillStyle = colour;
      paint.fillRect(...box);
    };
    fill(on ? '#35506b' : '#141b26', 0, 0, 1200, 900);
    fill(on ? '#7b746a' : '#2a2b2f', 0, 640, 1200, 260);
    fill('#0c0f14', 560, 210, 22, 450);
    fill('#0c0f14', 560, 200, 150, 18);
    paint.fillStyle = on ? '#ffe9a8' : '#4a4d55';
    paint.beginPath();
    paint.arc(700, 232, 30, 0, 7);
    paint.fill();
    if (on) {
      paint.fillStyle = 'rgb(255 233 168 / .25)';
      paint.beginPath();
      paint.moveTo(690, 240);
      paint.lineTo(430, 760);
      paint.lineTo(980, 760);
      paint.fill();
    }
    return canvas.toDataURL('image/jpeg', 0.8).split(',')[1];
  }, lit);
  await page.close();
  const plain = Buffer.from(data, 'base64');
  const buffer = Buffer.concat([plain.subarray(0, 2), exifWithPlace(), plain.subarray(2)]);
  return { name: lit ? 'after.jpg' : 'lamp.jpg', mimeType: 'image/jpeg', buffer };
}

export const saysWhere = (bytes) => bytes.includes('Exif');
