//! Cases of the WASM PVM: what the nodes' own machine did with a kernel and the messages of some
//! levels (`tests/fixtures/pvm`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use rollsnap_core::Problem;
use rollsnap_core::hash::RollupAddress;
use rollsnap_core::pvm::reveal::unavailable;
use rollsnap_core::pvm::{
    Constants, DalPage, DalParameters, Family, Machine, Reveal, Rollup, SharedReveal, Version,
};
use serde_json::Value;

/// A case: a rollup, and levels with what must come out.
pub struct Case {
    /// Its name.
    pub name: String,
    /// What a machine without the nodes' interpreter must do: `ok` or `refuse`, or may: `ok or refuse`.
    pub fast: String,
    /// Whether the nodes' machine raises.
    pub raises: bool,
    /// The boot sector.
    pub kernel: Vec<u8>,
    /// What the rollup was originated with.
    pub constants: Constants,
    /// The rollup.
    pub rollup: Rollup,
    /// What the state must be after the origination, unless nothing is known.
    pub genesis: Option<Value>,
    /// Whether the state is hashed after every level, as nodes do; else only where it is committed. To hash
    /// has an effect.
    pub always_hashed: bool,
    /// The levels.
    pub levels: Vec<Level>,
    pre_images: HashMap<[u8; 32], Arc<[u8]>>,
    dal: DalParameters,
}

/// A level of a case.
pub struct Level {
    /// Its number.
    pub level: i32,
    /// The messages, in order.
    pub messages: Vec<Vec<u8>>,
    /// Whether the context is committed after it.
    pub commit: bool,
    /// What the state must be after it, unless nothing is known.
    pub expect: Option<Value>,
}

impl Case {
    /// Reads a case. Kernels are looked for in a folder `kernels` beside it or one folder up.
    ///
    /// # Errors
    /// When it is no case, or a file is not there.
    pub fn read(path: &Path) -> io::Result<Self> {
        let case: Value = serde_json::from_slice(&fs::read(path)?)?;
        let text = |field: &str| case[field].as_str().map(str::to_owned).ok_or_else(|| no_case(path, field));
        let number = |field: &str| case[field].as_i64().ok_or_else(|| no_case(path, field));
        let wrong = |field: &'static str| move || no_case(path, field);
        let version = text("pvm_version")?.strip_prefix('V').and_then(|number| number.parse::<usize>().ok());
        let version = version.and_then(|number| Version::ALL.get(number).copied());
        let kernel = text("kernel")?;
        let kernel = match kernel.strip_prefix("hex:") {
            Some(digits) => unhex(digits).ok_or_else(wrong("kernel"))?,
            None => fs::read(kernel_file(path, &kernel)?)?,
        };
        let address = unhex(&text("rollup_address_hex")?).and_then(|bytes| bytes.try_into().ok());
        let address = RollupAddress::new(address.ok_or_else(wrong("rollup_address_hex"))?);
        let int32 = |field| number(field)?.try_into().map_err(|_| no_case(path, field));
        let dal: Option<Vec<i64>> =
            case["dal_parameters"].as_array().map(|list| list.iter().filter_map(Value::as_i64).collect());
        let Some(&[number_of_slots, attestation_lag, slot_size, page_size]) = dal.as_deref() else {
            return Err(no_case(path, "dal_parameters"));
        };
        let mut pre_images = HashMap::new();
        for (hash, content) in case["preimages"].as_object().into_iter().flatten() {
            let hash = hash.strip_prefix("00").and_then(unhex).and_then(|hash| hash.try_into().ok());
            let content = content.as_str().and_then(unhex).ok_or_else(wrong("preimages"))?;
            pre_images.insert(hash.ok_or_else(wrong("preimages"))?, content.into());
        }
        let levels = case["levels"].as_array().ok_or_else(wrong("levels"))?;
        Ok(Self {
            name: text("name")?,
            fast: text("fast")?,
            raises: !case["expect_error"].is_null(),
            kernel,
            constants: Constants {
                version: version.ok_or_else(wrong("pvm_version"))?,
                max_nb_ticks: text("max_nb_ticks")?.parse().map_err(|_| no_case(path, "max_nb_ticks"))?,
                outbox_validity_period: int32("outbox_validity_period")?,
                outbox_message_limit: case["outbox_message_limit"]
                    .as_u64()
                    .ok_or_else(wrong("outbox_message_limit"))?,
            },
            rollup: Rollup { address, origination_level: int32("origination_level")? },
            genesis: case.get("genesis").cloned(),
            always_hashed: case["state_hash_computed"].is_null(),
            levels: levels.iter().map(Level::read).collect::<Option<_>>().ok_or_else(wrong("levels"))?,
            pre_images,
            dal: DalParameters { number_of_slots, attestation_lag, slot_size, page_size },
        })
    }

    /// The machine right after the origination, committed as nodes do.
    ///
    /// # Errors
    /// None.
    pub fn machine(&self) -> Result<Machine, Problem> {
        let mut machine = Machine::genesis(&self.kernel, &self.constants, self.rollup, Family::Octez)?;
        machine.committed()?;
        Ok(machine)
    }

    /// What the kernel can ask for.
    pub fn reveal(&self) -> SharedReveal {
        Rc::new(RefCell::new(Given { pre_images: self.pre_images.clone(), dal: self.dal }))
    }

    /// The bytes that a text of `tree` or `tree_changes` stands for.
    pub fn leaf(&self, text: &str) -> Option<Vec<u8>> {
        if let Some(number) = text.strip_prefix("kernel:") {
            let mut chunk = self.kernel.chunks(512).nth(number.parse().ok()?)?.to_vec();
            chunk.resize(512, 0);
            return Some(chunk);
        }
        let (digits, zeros) = text.split_once('+').unwrap_or((text, "0"));
        let mut bytes = unhex(digits)?;
        bytes.resize(bytes.len() + zeros.parse::<usize>().ok()?, 0);
        Some(bytes)
    }
}

impl Level {
    fn read(level: &Value) -> Option<Self> {
        let messages = level["messages"].as_array()?.iter();
        Some(Self {
            level: level["level"].as_i64()?.try_into().ok()?,
            messages: messages.map(|message| message.as_str().and_then(unhex)).collect::<Option<_>>()?,
            commit: level["commit"].as_bool().unwrap_or(false),
            expect: level.get("expect").cloned(),
        })
    }
}

struct Given {
    pre_images: HashMap<[u8; 32], Arc<[u8]>>,
    dal: DalParameters,
}

impl Reveal for Given {
    fn pre_image(&mut self, hash: &[u8; 32]) -> Result<Arc<[u8]>, Problem> {
        self.pre_images.get(hash).cloned().ok_or_else(|| unavailable("a pre-image of the case"))
    }

    fn dal_parameters(&mut self, _: i32) -> Result<DalParameters, Problem> {
        Ok(self.dal)
    }

    /// As if there were none.
    fn dal_page(&mut self, _: i32, _: DalPage) -> Result<Arc<[u8]>, Problem> {
        Ok(Arc::from([]))
    }
}

/// Nothing to ask for.
pub fn no_reveal() -> SharedReveal {
    let dal = DalParameters { number_of_slots: 0, attestation_lag: 0, slot_size: 0, page_size: 0 };
    Rc::new(RefCell::new(Given { pre_images: HashMap::new(), dal }))
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits stand for.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(pair).collect() } else { None }
}

fn kernel_file(case: &Path, name: &str) -> io::Result<PathBuf> {
    let folder = case.parent().unwrap_or(Path::new(""));
    let folders = [folder.join("kernels"), folder.join("../kernels")];
    let files = folders.map(|folder| folder.join(format!("{name}.wasm")));
    files.into_iter().find(|file| file.is_file()).ok_or_else(|| no_case(case, "kernel"))
}

fn no_case(path: &Path, field: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {field}", path.display()))
}
