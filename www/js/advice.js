// What to do, where the words of the table are for a command line and would be of no use on a page.

const HERE = {
  'io.directory': 'choose the snapshot file inside it',
  'io.not-found': 'choose the file again',
  'source.changed': 'choose it again when nothing writes to it',
  'limit.memory': 'the command line has no such limit',
  'tar.dialect':
    'make the snapshot with a rollup node or rollsnap; on the command line, --lenient reads it for inspection',
};

/** The rows of the table with advice that fits a page. */
export const fitting = (rows) => rows.map((row) => ({ ...row, advice: HERE[row.code] ?? row.advice }));

/** The same for one failure. */
export const adviceHere = ({ code, advice }) => HERE[code] ?? advice;
