//! What is to be written, step by step.

use alloc::vec::Vec;

use super::Appender;
use crate::context::pack::Control;

/// A file of a context that is appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// The last chunk of the suffix.
    Chunk,
    /// `store.dict`.
    Dict,
    /// `index/log`.
    Log,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Write these bytes at this position.
    Write(File, u64, &'a [u8]),
    /// What was written to the file must be on disk before the next step.
    Sync(File),
    /// `store.control` is replaced by a file with these bytes, and that must be on disk, its name too, before the
    /// next step.
    Control(&'a [u8]),
}

/// What is to be written, and how the context is afterwards.
#[derive(Debug)]
pub struct Plan {
    control: Control,
    control_bytes: Vec<u8>,
    log_length: [u8; 8],
}

impl Appender {
    /// What is to be done for all that waits; `None` when nothing does.
    pub fn plan(&self) -> Option<Plan> {
        if self.pending() == 0 {
            return None;
        }
        let control = Control {
            dict_end: self.control.dict_end + self.names.pending().len() as u64,
            last_chunk_end: self.control.last_chunk_end + self.objects.len() as u64,
            ..self.control
        };
        let log_length = (self.log.length() + self.entries.len() as u64).to_be_bytes();
        Some(Plan { control, control_bytes: control.to_bytes(), log_length })
    }

    /// The steps of the plan, in their order.
    pub fn steps<'p>(&'p self, plan: &'p Plan) -> Vec<Step<'p>> {
        let parts = [
            (File::Dict, self.control.dict_end, self.names.pending()),
            (File::Chunk, self.position + self.written, &self.objects[..]),
            (File::Log, self.log.end(), &self.entries[..]),
        ];
        let mut steps = Vec::new();
        let parts = || parts.into_iter().filter(|(_, _, bytes)| !bytes.is_empty());
        steps.extend(parts().map(|(file, position, bytes)| Step::Write(file, position, bytes)));
        steps.extend(parts().map(|(file, _, _)| Step::Sync(file)));
        steps.push(Step::Control(&plan.control_bytes));
        if !self.entries.is_empty() {
            steps.extend([Step::Write(File::Log, 0, &plan.log_length), Step::Sync(File::Log)]);
        }
        steps
    }

    /// All steps of the plan were done, and nothing was added meanwhile.
    pub fn done(&mut self, plan: &Plan) {
        self.control = plan.control;
        self.written += self.objects.len() as u64;
        self.objects.clear();
        self.names.wrote();
        self.log = self.log.longer(self.entries.len() as u64);
        self.entries.clear();
    }

    /// How far a file counts now, on disk: what is behind is left over.
    pub fn counts(&self, file: File) -> u64 {
        match file {
            File::Chunk => self.position + self.written,
            File::Dict => self.control.dict_end,
            File::Log => self.log.end(),
        }
    }
}
