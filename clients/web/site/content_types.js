/** The content type of a file by its name, and which of them the platform reads or hears. */

export const BY_SUFFIX = {
  pdf: "application/pdf", png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", tif: "image/tiff",
  tiff: "image/tiff", webp: "image/webp", gif: "image/gif", bmp: "image/bmp", svg: "image/svg+xml",
  heic: "image/heic", heif: "image/heif", avif: "image/avif",
  wav: "audio/wav", flac: "audio/flac", mp3: "audio/mpeg", ogg: "audio/ogg", oga: "audio/ogg", opus: "audio/ogg",
  m4a: "audio/mp4", aac: "audio/aac", weba: "audio/webm", webm: "audio/webm", aiff: "audio/x-aiff",
  csv: "text/csv", txt: "text/plain", md: "text/markdown", html: "text/html", xml: "text/xml",
  json: "application/json", jsonl: "application/jsonl", zip: "application/zip", gz: "application/gzip",
};

/** Documents and recordings of these types can be recognised; the platform has the same list. */
export const SUPPORTED = new Set([
  "application/pdf", "image/png", "image/jpeg", "image/jpg", "image/tiff", "image/webp", "image/gif", "image/bmp",
  "image/x-ms-bmp", "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/flac", "audio/x-flac",
  "audio/mpeg", "audio/mp3", "audio/ogg", "audio/opus", "audio/vorbis", "audio/mp4", "audio/m4a", "audio/x-m4a",
  "audio/aac", "audio/x-aac", "audio/amr", "audio/webm",
]);

/** The media type that a file name promises, else the one that the browser guesses. */
export function contentType(name, guess = "") {
  const suffix = /\.([^./]+)$/.exec(name)?.[1].toLowerCase();
  return BY_SUFFIX[suffix] ?? (guess || "application/octet-stream");
}

/** `document`, `voice` or `file`. */
export function kindOf(type) {
  if (type.startsWith("image/") || type === "application/pdf") return "document";
  return type.startsWith("audio/") ? "voice" : "file";
}
