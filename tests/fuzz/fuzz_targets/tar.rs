//! An archive that the strict reader accepts is the one that the writer makes of what was read;
//! the lenient reader takes it as well, and no archive is read differently in pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollsnap_core::tar::{END, Member, Options, Reader, Step, member_header, padding};

fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, archive)) = bytes.split_first() else { return };
    let piece = usize::from(piece) + 1;
    for lenient in [false, true] {
        let whole = read(archive, archive.len().max(1), lenient);
        assert_eq!(read(archive, piece, lenient), whole);
    }
    let Ok(members) = read(archive, piece, false).outcome else { return };
    let mut again = Vec::with_capacity(archive.len());
    for (member, data) in &members {
        assert_eq!(member.data_offset as usize, again.len() + member_header(member).unwrap().len());
        again.extend(member_header(member).unwrap());
        again.extend_from_slice(data);
        again.resize(again.len() + padding(member.size), 0);
    }
    again.extend_from_slice(&END);
    assert!(again == archive);
    let lenient = read(archive, piece, true);
    assert_eq!(lenient.outcome.as_ref(), Ok(&members));
    assert!(lenient.remarks.is_empty());
});

#[derive(Debug, PartialEq)]
struct Reading {
    outcome: Result<Vec<(Member, Vec<u8>)>, String>,
    remarks: Vec<String>,
}

fn read(archive: &[u8], piece: usize, lenient: bool) -> Reading {
    let mut reader = Reader::new(0, Options { lenient, ..Options::default() });
    let mut members = Vec::new();
    let mut remarks = Vec::new();
    let mut problem = None;
    'file: for mut input in archive.chunks(piece) {
        loop {
            match reader.step(&mut input) {
                Ok(Step::NeedsInput) => break,
                Ok(Step::Member(member)) => members.push((member.clone(), Vec::new())),
                Ok(Step::Data(data)) => members.last_mut().unwrap().1.extend_from_slice(data),
                Ok(Step::MemberEnd(member)) => {
                    assert_eq!(members.last().unwrap().1.len() as u64, member.size);
                }
                Ok(Step::Remarks | Step::End) => {}
                Err(found) => {
                    problem = Some(found);
                    break 'file;
                }
            }
            remarks.extend(reader.take_remarks().iter().map(|remark| format!("{remark:?}")));
        }
        remarks.extend(reader.take_remarks().iter().map(|remark| format!("{remark:?}")));
    }
    let outcome = match problem.map_or_else(|| reader.finish(), Err) {
        Ok(()) => Ok(members),
        Err(problem) => Err(format!("{problem:?}")),
    };
    Reading { outcome, remarks }
}
