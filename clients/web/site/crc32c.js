/** CRC32C (RFC 3720, appendix B.4) of bytes that come in pieces, eight at a time by tables. */

const POLYNOMIAL = 0x82f63b78; // Castagnoli's, reflected
const TABLES = makeTables();

function makeTables() {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) tables[i] = (tables[i - 256] >>> 8) ^ tables[tables[i - 256] & 255];
  return tables;
}

/**
 * The checksum of what came before and these bytes; 0 is the checksum of nothing.
 * @param {number} crc
 * @param {Uint8Array} bytes
 */
export function extend(crc, bytes) {
  const t = TABLES;
  const eights = bytes.length - (bytes.length % 8);
  let c = ~crc;
  let i = 0;
  for (; i < eights; i += 8) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c =
      t[1792 + (c & 255)] ^ t[1536 + ((c >>> 8) & 255)] ^ t[1280 + ((c >>> 16) & 255)] ^ t[1024 + (c >>> 24)] ^
      t[768 + bytes[i + 4]] ^ t[512 + bytes[i + 5]] ^ t[256 + bytes[i + 6]] ^ t[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) c = t[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

/** A checksum as a manifest has it: base 64 of the four bytes, big-endian. */
export function encode(crc) {
  return btoa(String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255));
}
