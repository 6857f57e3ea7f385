// Numbers, sizes and times as people read them. Sizes may be BigInt: exact where it is shown
// exactly, rounded where it is rounded anyway.

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
const whole = new Intl.NumberFormat('en');

/** `323,642` */
export const count = (value) => whole.format(value);

/** `1 member`, `2 members` */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${Number(value) === 1 ? one : many}`;

/** `168 KB`: three digits at most, powers of 1000. */
export function bytes(value) {
  let size = Number(value);
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  if (unit === 0) return plural(size, 'byte');
  return `${size.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0)} ${UNITS[unit]}`;
}

/** `168 KB (168,014 bytes)` */
export const bytesExact = (value) => (Number(value) < 1000 ? bytes(value) : `${bytes(value)} (${count(value)} bytes)`);

/** `22 %`, `0.4 %`, `< 0.1 %` */
export function share(part, all) {
  const percent = Number(all) > 0 ? (100 * Number(part)) / Number(all) : 0;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** `40 s`, `3 min 20 s`, `1 h 5 min` */
export function duration(seconds) {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
}

/** `2023-11-14 22:13:20 UTC` */
export function time(seconds) {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime())
    ? `${seconds} s after 1970`
    : date.toISOString().replace('T', ' ').replace(/\..*/, ' UTC');
}

/** `rw-r--r--` */
export function mode(bits) {
  return [6, 3, 0]
    .map((shift) => 'rwx'.replace(/./g, (letter, index) => ((bits >> shift) & (4 >> index) ? letter : '-')))
    .join('');
}

/** A word for a POSIX shell. */
export const shellWord = (text) =>
  /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** A file name for a POSIX shell, which may start with a dash. */
export const shellFile = (name) => shellWord(name.startsWith('-') ? `./${name}` : name);

/** Titles of the table start small, as they stand behind a program's name on the command line. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
