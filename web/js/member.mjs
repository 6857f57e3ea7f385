// One member of a file.

import { failure } from './errors.mjs';
import { readReport } from './inspect.mjs';
import { byHeaders } from './list.mjs';
import { RemoteFile } from './remote.mjs';
import { openSource } from './sources.mjs';
import { streamFrom, streamOfMember } from './spans.mjs';

export async function readMember(source, wanted, options = {}) {
  const { file, stream, total, failed } = await openSource(source, options);
  const { name, offset } = typeof wanted === 'string' ? { name: wanted } : wanted;
  const isRemote = file instanceof RemoteFile;
  const near = { name, options: { ...options, failed, isFirst: true } };
  // What a server sent was found out already, and all of it is much.
  const found = isRemote
    ? ((await attempt(near, () => placed(file, name, offset), /^member\./)) ??
      (await attempt(near, () => listed(file, name, options), /^member\./)))
    : file &&
      offset !== undefined &&
      (await attempt(near, () => streamFrom(file, offset), /^(gzip|tar|header|file|member)\./));
  if (found) return isRemote ? { ...found, remote: file.remote } : found;
  const whole = await oneMember(stream(), name, { ...options, total, failed });
  return isRemote ? { ...whole, remote: file.remote } : whole;
}

/** Reads the member alone; undefined where that cannot be done, or ends with an error whose code is in `passed`. */
async function attempt({ name, options }, open, passed) {
  let near;
  try {
    near = await open();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw options.failed ? await options.failed(error) : error;
  }
  if (!near) return undefined;
  try {
    const found = await oneMember(near.stream, name, options);
    return { ...found, member: { ...found.member, offset: Number(found.member.offset) + near.shift } };
  } catch (error) {
    // What does not hold near the member is looked at from the beginning, and told there.
    if (!passed.test(error?.code)) throw error;
    return undefined;
  }
}

const placed = (file, name, offset) => (offset === undefined ? streamOfMember(file, name) : streamFrom(file, offset));

/** The member where the headers of all of them say that it is. */
async function listed(file, name, { signal, lenient }) {
  const report = await byHeaders(file, { signal, lenient });
  if (!report) return undefined;
  const member = report.members.list.find((member) => member.name === name);
  if (member) return streamFrom(file, member.offset);
  const { complete, count, list } = report.members;
  if (complete && list.length === count) throw failure('member.unknown', { member: name });
  return undefined;
}

/** Reads one member; with `isFirst` it must be the first one of the stream. */
async function oneMember(stream, name, { isFirst = false, ...options }) {
  const { limit = Infinity } = options;
  const parts = [];
  let [member, sha256, read, done, members, other] = [undefined, null, 0, false, 0, false];
  await readReport(stream, {
    ...options,
    digests: limit === Infinity ? [name] : false,
    extract: {
      [name]: (chunk, found) => {
        member = found;
        if (read < limit) parts.push(chunk.subarray(0, limit - read));
        read += chunk.length;
        done = read >= limit;
      },
    },
    onEvent: (event) => {
      if (event.type === 'member' && !members++ && isFirst) other = event.name !== name;
      if (event.type !== 'member-end' || event.name !== name) return;
      done = true;
      sha256 = event.sha256;
    },
    until: () => done || other,
  });
  if (!member || other) throw failure('member.unknown', { member: name });
  const content = new Blob(parts);
  if (!done || content.size < Math.min(Number(member.size), limit)) {
    throw failure('tar.truncated', { member: name, expected: `${member.size} bytes`, found: `${content.size}` });
  }
  return { member, content, sha256 };
}
