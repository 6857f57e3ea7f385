//! The files of an index written again: without some of their entries, and with others.

use alloc::format;
use alloc::vec::Vec;

use super::{Header, Shape, check_end, entries, fan_out, open};
use crate::feedback::Feedback;
use crate::problem::Result;
use crate::read_at::{Files, ReadAt};

/// What is changed in an index whose files nobody else writes. Entries keep their order, so `data` stays sorted, and each
/// file keeps its generation; files in which nothing changes are not written. The header of a log that was cut is mended.
#[derive(Clone, Copy)]
pub struct Edit<'e> {
    /// Whether an entry goes: its key, and its value. Asked more than once for each.
    pub goes: &'e dyn Fn(&[u8], &[u8]) -> bool,
    /// Entries that come, one after the other: they count before all that are there. The log gets them, and what is in
    /// `log_async`, as a node appends that to the log when it starts.
    pub comes: &'e [u8],
}

/// Where the new files go. What they are read from stays readable until they are complete.
pub trait Target {
    /// Begins a file: `data`, `log` or `log_async`. The one before is complete.
    ///
    /// # Errors
    /// What the target says.
    fn create(&mut self, name: &str) -> Result<()>;

    /// The next bytes of it.
    ///
    /// # Errors
    /// What the target says.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}

impl core::fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Edit").field("comes", &self.comes.len()).finish_non_exhaustive()
    }
}

impl Edit<'_> {
    /// Changes the index of a directory. Four bytes of memory are taken for each entry of a `data` that changes.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`](crate::Code::StoreDamaged) for files that are not of the form that they should have;
    /// [`Code::Cancelled`](crate::Code::Cancelled), [`Code::LimitMemory`](crate::Code::LimitMemory); what source and
    /// target report.
    pub fn carry_out<F: Files>(
        &self,
        files: &F,
        directory: &str,
        shape: Shape,
        target: &mut dyn Target,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        self.data(files, &format!("{directory}/data"), shape, target, feedback)?;
        self.logs(files, directory, shape, target, feedback)
    }

    fn data<F: Files>(
        &self,
        files: &F,
        path: &str,
        shape: Shape,
        target: &mut dyn Target,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        let Some((file, header, count)) = open(files, path, shape)? else { return Ok(()) };
        check_end(&file, &header, path)?;
        let part = Part { file: &file, start: Header::LEN as u64 + header.fan_out, count, shape };
        if self.kept(&part, feedback)? == count {
            return Ok(());
        }
        let mut hashes = Vec::new();
        self.each(&part, feedback, &mut |entry| {
            feedback.allowance().check(hashes.len() as u64 * 4, "the order of an index")?;
            hashes.push(shape.order.hash(entry.get(..shape.key).unwrap_or_default()));
            Ok(())
        })?;
        let kept = hashes.len() as u64;
        let table = fan_out(shape, kept, hashes.into_iter());
        target.create("data")?;
        let length = kept * shape.entry() as u64;
        target.write(&Header { length, fan_out: table.len() as u64 * 8, ..header }.to_bytes())?;
        for slots in table.chunks(1 << 12) {
            target.write(&slots.iter().flat_map(|slot| slot.to_be_bytes()).collect::<Vec<u8>>())?;
        }
        self.each(&part, feedback, &mut |entry| target.write(entry))
    }

    fn logs<F: Files>(
        &self,
        files: &F,
        directory: &str,
        shape: Shape,
        target: &mut dyn Target,
        feedback: &dyn Feedback,
    ) -> Result<()> {
        let opened = |name: &str| open(files, &format!("{directory}/{name}"), shape);
        let (log, log_async) = (opened("log")?, opened("log_async")?);
        let (mut there, mut kept, mut was_cut) = (0, 0, false);
        let mut parts = Vec::new();
        for (file, _, announced) in log.iter().chain(&log_async) {
            // Of a log that was cut, a node reads the entries that are there.
            let rest = file.len().saturating_sub(Header::LEN as u64) / shape.entry() as u64;
            let part = Part { file, start: Header::LEN as u64, count: rest.min(*announced), shape };
            there += part.count;
            was_cut |= rest < *announced;
            kept += self.kept(&part, feedback)?;
            parts.push(part);
        }
        if kept == there && self.comes.is_empty() && !was_cut {
            return Ok(());
        }
        let header = |found: Option<u64>, length: u64| Header {
            length,
            generation: found.unwrap_or_default(),
            fan_out: 0,
        };
        let generation = log.as_ref().map(|(_, header, _)| header.generation);
        let length = kept * shape.entry() as u64 + self.comes.len() as u64;
        target.create("log")?;
        target.write(&header(generation, length).to_bytes())?;
        for part in &parts {
            self.each(part, feedback, &mut |entry| target.write(entry))?;
        }
        target.write(self.comes)?;
        if let Some((_, found, _)) = &log_async {
            target.create("log_async")?;
            target.write(&header(Some(found.generation), 0).to_bytes())?;
        }
        Ok(())
    }

    fn kept<R: ReadAt>(&self, part: &Part<'_, R>, feedback: &dyn Feedback) -> Result<u64> {
        let mut kept = 0;
        self.each(part, feedback, &mut |_| {
            kept += 1;
            Ok(())
        })?;
        Ok(kept)
    }

    /// Every entry that stays.
    fn each<R: ReadAt>(
        &self,
        part: &Part<'_, R>,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let (mut at, mut buffer) = (0, Vec::new());
        while at < part.count {
            feedback.checkpoint()?;
            for entry in entries(part.file, part.start, at, part.count, part.shape, &mut buffer)? {
                let (key, value) = entry.split_at(part.shape.key);
                if !(self.goes)(key, value) {
                    each(entry)?;
                }
                at += 1;
            }
        }
        Ok(())
    }
}

/// The entries of a file.
struct Part<'f, R> {
    file: &'f R,
    start: u64,
    count: u64,
    shape: Shape,
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::String;

    use super::super::{Index, KeyOrder};
    use super::*;
    use crate::feedback::Silent;

    const SHAPE: Shape = Shape { key: 4, value: 2, order: KeyOrder::Bytes };

    #[derive(Default)]
    struct Made(Vec<(String, Vec<u8>)>);

    impl Target for Made {
        fn create(&mut self, name: &str) -> Result<()> {
            self.0.push((name.into(), Vec::new()));
            Ok(())
        }

        fn write(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.last_mut().unwrap().1.extend_from_slice(bytes);
            Ok(())
        }
    }

    fn entry(key: u32, value: u16) -> Vec<u8> {
        [&key.to_be_bytes()[..], &value.to_be_bytes()].concat()
    }

    fn file(generation: u64, table: &[u64], entries: &[Vec<u8>]) -> Vec<u8> {
        let length = entries.concat().len() as u64;
        let header = Header { length, generation, fan_out: table.len() as u64 * 8 };
        let table = table.iter().flat_map(|slot| slot.to_be_bytes()).collect();
        [header.to_bytes().to_vec(), table, entries.concat()].concat()
    }

    /// An index of 3000 keys in `data`, of which the log and its successor hide some.
    fn index() -> BTreeMap<String, Vec<u8>> {
        let mut keys: Vec<u32> = (0..3000).collect();
        keys.sort_by_key(|key| SHAPE.order.hash(&key.to_be_bytes()));
        let hashes = keys.iter().map(|key| SHAPE.order.hash(&key.to_be_bytes()));
        let table = fan_out(SHAPE, 3000, hashes);
        let data: Vec<_> = keys.iter().map(|key| entry(*key, 1)).collect();
        let files = [
            ("data", file(7, &table, &data)),
            ("log", file(7, &[], &[entry(5, 2), entry(9, 2), entry(4000, 2)])),
            ("log_async", file(0, &[], &[entry(9, 3), entry(4001, 3)])),
        ];
        files.into_iter().map(|(name, bytes)| (format!("i/{name}"), bytes)).collect()
    }

    fn after(goes: &dyn Fn(u32) -> bool, comes: &[u8]) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
        let mut files = index();
        let mut made = Made::default();
        let goes = |key: &[u8], _: &[u8]| goes(u32::from_be_bytes(key.try_into().unwrap()));
        let edit = Edit { goes: &goes, comes };
        edit.carry_out(&&files, "i", SHAPE, &mut made, &Silent).unwrap();
        let names = made.0.iter().map(|(name, _)| name.clone()).collect();
        files.extend(made.0.into_iter().map(|(name, bytes)| (format!("i/{name}"), bytes)));
        (files, names)
    }

    fn found(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<u32, u16> {
        let index = Index::open(&files, "i", SHAPE).unwrap();
        assert_eq!(index.misplaced().unwrap(), []);
        let mut found = BTreeMap::new();
        for binding in index.scan() {
            let binding = binding.unwrap();
            assert_eq!(index.find(&binding.key).unwrap().as_ref(), Some(&binding.value));
            let key = u32::from_be_bytes(binding.key.try_into().unwrap());
            found.insert(key, u16::from_be_bytes(binding.value.try_into().unwrap()));
        }
        found
    }

    #[test]
    fn entries_go_wherever_they_are_and_others_come() {
        let before = found(&index());
        assert_eq!((before.len(), before[&5], before[&9], before[&10]), (3002, 2, 3, 1));
        for (goes, written) in [
            (&(|key: u32| key == 4000) as &dyn Fn(u32) -> bool, &["log", "log_async"][..]),
            (&|key: u32| key.is_multiple_of(3) && key < 3000, &["data", "log", "log_async"]),
            (&|key: u32| key == 77, &["data"]),
            (&|_| true, &["data", "log", "log_async"]),
            (&|_| false, &[]),
        ] {
            let (files, names) = after(goes, &[]);
            assert_eq!(names, written);
            let mut expected = before.clone();
            expected.retain(|key, _| !goes(*key));
            assert_eq!(found(&files), expected);
        }
        let comes = [entry(9, 8), entry(2999, 8), entry(5000, 8)].concat();
        let (files, names) = after(&|key: u32| key == 5, &comes);
        assert_eq!(names, ["data", "log", "log_async"]);
        let mut expected = before;
        expected.remove(&5);
        expected.extend([(9, 8), (2999, 8), (5000, 8)]);
        assert_eq!(found(&files), expected);
    }

    #[test]
    fn an_index_is_made_where_none_is() {
        let (mut made, files) = (Made::default(), BTreeMap::<String, Vec<u8>>::new());
        let edit = Edit { goes: &|_, _| false, comes: &entry(1, 2) };
        edit.carry_out(&&files, "i", SHAPE, &mut made, &Silent).unwrap();
        assert_eq!(made.0, [("log".into(), file(0, &[], &[entry(1, 2)]))]);
    }
}
