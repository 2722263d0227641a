/** Quantities as people read them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function count(number, noun) {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}

export function bytes(number) {
  const power = number < 1000 ? 0 : Math.min(Math.floor(Math.log10(number) / 3), UNITS.length - 1);
  const scaled = number / 1000 ** power;
  const digits = { maximumFractionDigits: power > 0 && scaled < 100 ? 1 : 0 };
  return `${scaled.toLocaleString(undefined, digits)} ${UNITS[power]}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What is said while something is tried again. */
export function waiting(reason, seconds) {
  return `Waiting ${duration(seconds)}: ${reason}.`;
}

export function share(part) {
  return part === null ? "–" : `${Math.round(part * 100)} %`;
}

export function moment(text) {
  return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
