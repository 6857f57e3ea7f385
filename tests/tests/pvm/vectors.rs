//! Hashes that others published: a commitment on a chain, and the traces that the nodes' own tests
//! keep of their machine.

use std::path::Path;

use rollsnap::engine::Limits;
use rollsnap_core::context::edit::Tree;
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::{CommitmentHash, RollupAddress, StateHash};
use rollsnap_core::pvm::{Constants, Engine, Family, Machine, Rollup, StateView, Version};
use rollsnap_tests::engines;
use rollsnap_tests::pvm::{hex, no_reveal};

/// The kernel of the documentation: takes a message a run, and wants another run unless it was the last
/// of the level. Blake2b-256 24df9e3c520dd9a9c49b447766e8a604d31138c1aacb4a67532499c6a8b348cc.
fn boot_kernel() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pvm/vectors/boot.wasm");
    let kernel = std::fs::read(path).unwrap();
    assert_eq!(kernel.len(), 408);
    kernel
}

fn engine() -> Box<dyn Engine> {
    engines::engine("interpreter", Limits::default()).unwrap().unwrap()
}

fn rollup(address: &str, origination_level: i32) -> Rollup {
    Rollup { address: address.parse().unwrap(), origination_level }
}

/// An info message: what its bytes are does not matter here.
fn info() -> Vec<u8> {
    [&[0, 3][..], &[0; 40]].concat()
}

/// Twenty levels of a rollup on Mumbai, from its origination to a commitment on layer 1.
#[test]
fn a_commitment_on_a_chain() {
    let kernel = boot_kernel();
    let rollup = rollup("sr1LhGA2zC9VcYALSifpRBCgDiQfDSQ6bb4x", 41786);
    let mut machine =
        Machine::genesis(&kernel, &Constants::early(Version::V0), rollup, Family::Octez).unwrap();
    machine.committed().unwrap();
    assert_eq!(hash(&machine), "srs11y1ZCJfeWnHzoX3rAjcTXiphwg8NvqQhvishP3PU68jgSREuk6");
    let view = StateView::read(machine.tree()).unwrap();
    assert_eq!(
        view.kernel.unwrap().blake2b.unwrap(),
        "24df9e3c520dd9a9c49b447766e8a604d31138c1aacb4a67532499c6a8b348cc"
    );
    let genesis = commitment(machine.state_hash().unwrap(), 41786, [0; 32], 0);
    assert_eq!(genesis.to_string(), "src12rCbiTAvYntPQXcMoqdNh6ZXXBmfxzhaxZsxsbRKGC7bE3L1mD");

    let mut engine = engine();
    for level in 41787..=41806 {
        let messages = [vec![0, 1], info(), vec![0, 2]];
        let outcome = machine.level(level, &messages, &mut *engine, &no_reveal(), &Silent).unwrap();
        assert_eq!((outcome.num_ticks, outcome.runs.len()), (44_000_000_000, 3));
        assert_eq!(outcome.outbox, Some(vec![]));
        // Hashes in the proof of a step within level 41791, before its first run.
        if level == 41790 {
            assert_eq!(
                subtree(machine.tree(), "durable/kernel"),
                "7d20c53bdd5b536a6be9c4cdad16e69a9af40b93a6564655fffd88bba0505190"
            );
            assert_eq!(
                subtree(machine.tree(), "durable/readonly/kernel"),
                "a645771d9d5228a31312b282119c596699ccb6b60b93d759c2072a493ddbb574"
            );
        } else if level == 41791 {
            assert_eq!(
                subtree(machine.tree(), "value/pvm/buffers/output/1/outboxes"),
                "ccbff4c181451166adb153f7a1631e9f036832f8e5c82acd8e8c12876eeeda87"
            );
        }
        let expected = match level {
            41787 => "srs12zdMUHiLiqTAuN81f1NS3rgD1M7fqUtMq4RpWq3wf3QDvsPCxa",
            41788 => "srs12j6qe6exPDkaoB92S4CXmVFanq6WGuGSWXRVQXsYRxiZ5mRp2p",
            41790 => "srs133rESmPdc33LXNZmCCZ6hk1diLVMc57855oA79zCHcvUfWfAeF",
            41806 => "srs13KH5h8LQCRQ8ei1HHxQ64ThzJvmtxPbn78N1panJ9M5Kt2eE9o",
            _ => continue,
        };
        assert_eq!(hash(&machine), expected, "{level}");
    }
    assert_eq!(machine.current_tick(), 880_000_000_000);

    // The author of the commitment ran a node that fails on purpose: it left a mark in the state, which
    // is no affair of the machine's.
    let mut failing = machine.tree().clone();
    failing.add(&["failures", "0"], &[][..]).unwrap();
    let state = StateHash::new(failing.hash().unwrap());
    assert_eq!(state.to_string(), "srs12r6jebz4VTuP1C58mHGzezqFQdV6n5pdaqEamDo4FvD9omn9YJ");
    let last = commitment(state, 41806, *genesis.as_bytes(), 880_000_000_000);
    assert_eq!(last.to_string(), "src14ErSMhBhf3Hi6isN3cEdR4RgxT5egSjQYtgHEc5NP9qVFgmcpE");
    // And the machine goes on from it.
    let mut machine = Machine::load(failing, rollup, Family::Octez).unwrap();
    let messages = [vec![0, 1], info(), vec![0, 2]];
    machine.level(41807, &messages, &mut *engine, &no_reveal(), &Silent).unwrap();
    assert!(machine.tree().mem(&["failures", "0"]).unwrap());
}

/// A kernel of the traces, with digits of its published Blake2b-256 and its length.
struct Traced {
    module: Vec<u8>,
    first: &'static str,
    last: &'static str,
    len: u64,
}

/// The tail of the traces: states between the run of a kernel and the end of its cycle.
#[test]
fn the_traces_of_the_nodes_tests() {
    let echo = Traced { module: padded(&boot_kernel()), first: "b10b9bd8", last: "d74768", len: 451 };
    let exists =
        Traced { module: link_kernel("store_exists", 2), first: "93b6f618", last: "da5463", len: 122 };
    let reveal = Traced { module: link_kernel("reveal", 4), first: "df53dc5c", last: "147ba8b", len: 118 };
    // Kernel, version, runs before the state, tick, hash of the state.
    let traces = [
        (&echo, Version::V0, 0, 5000, "8430933141a2b47a3e4d513ca99d1c7149716b6bac176235878740c13fe58d05"),
        (&echo, Version::V0, 3, 19904, "89fe2676d7cde5b5ad178b7941204efe33b0555dbbae767eeabfc1a70cc558c1"),
        (&echo, Version::V3, 0, 5000, "f76d23ea9f658d9fefde375a522544a58fc7d36069782f0e0e21003d290a16fd"),
        (&echo, Version::V3, 3, 19904, "8f6ca142cee389bdc31fbb21fb30fdf3ed9db2e91717cde443ee34f02896f4e8"),
        (&echo, Version::V6, 3, 19904, "e6135c4fd41a9f890aa6370655ca4a53c61c6232e69cea214cc2e9c24121bdc9"),
        (&exists, Version::V3, 1, 9999, "2c7855995f10e4e07ae8683e85c0b4e7f4df72f126e0e77192651d599b7ed711"),
        (&reveal, Version::V3, 1, 9999, "345834fa55ecd01353bcf8204b0df90a5f96244260c7f5b7421d02e92da29b13"),
        (&reveal, Version::V6, 1, 9999, "bd7f1ada7db9a744f05dc62982632f0b194d5c7d0f1887de7c7a304766947047"),
    ];
    for (kernel, version, runs, tick, expected) in traces {
        let Traced { module, first, last, len } = kernel;
        let constants =
            Constants { version, max_nb_ticks: 5000, outbox_validity_period: 10, outbox_message_limit: 100 };
        let rollup = Rollup { address: RollupAddress::new([0; 20]), origination_level: 0 };
        let mut machine = Machine::genesis(module, &constants, rollup, Family::Octez).unwrap();
        let digest = StateView::read(machine.tree()).unwrap().kernel.unwrap();
        let blake2b = digest.blake2b.unwrap();
        assert!(blake2b.starts_with(*first) && blake2b.ends_with(*last), "{blake2b}");
        assert_eq!(digest.size, *len);
        let messages = [vec![0, 1], info(), vec![0, 2]];
        let outcome = machine.level(0, &messages, &mut *engine(), &no_reveal(), &Silent).unwrap();
        // The kernel that echoes takes one message a run.
        let (all, taken) = if *len == 451 { (3, runs) } else { (1, 0) };
        assert_eq!(outcome.runs.len(), all);
        let state = within(machine.tree(), runs, tick, &messages, taken);
        assert_eq!(hex(&state.hash().unwrap()), expected, "{version} at {tick}");
    }
}

/// The state within a level that the machine went through: after so many runs, at a tick, with so
/// many messages taken. All that the rest of the level changed is put back.
fn within(end: &Tree, runs: u64, tick: u64, messages: &[Vec<u8>], taken: u64) -> Tree {
    let mut tree = end.clone();
    let mut put = |path: &str, bytes: &[u8]| {
        let path: Vec<&str> = path.split('/').collect();
        tree.add(&path, bytes).unwrap();
    };
    let phase = if runs == 0 { "snapshot" } else { "padding" };
    put("wasm/tag", &[&(phase.len() as u32).to_be_bytes(), phase.as_bytes()].concat());
    put("wasm/current_tick", &natural(tick));
    // The first run sees 1000 as its counter.
    let counter = 1001 - runs.max(1);
    put("wasm/reboot_counter", &natural(counter));
    put("pvm/last_top_level_call", &natural(5000 * runs.max(1)));
    let mut chunk = [0; 512];
    chunk[..4].copy_from_slice(&(counter as u32).to_le_bytes());
    put("durable/readonly/kernel/env/reboot_counter/@/contents/0", &chunk);
    let input = "value/pvm/buffers/input";
    put(&format!("{input}/head"), &[taken as u8]);
    put(&format!("{input}/length"), &[(messages.len() - taken as usize) as u8]);
    for (number, message) in messages.iter().enumerate().skip(taken as usize) {
        let message_at = format!("{input}/contents/{number}");
        put(&format!("{message_at}/raw-level"), &[0; 4]);
        put(&format!("{message_at}/message-counter"), &[number as u8]);
        put(&format!("{message_at}/length"), &(message.len() as u64).to_be_bytes());
        let mut chunk = message.clone();
        chunk.resize(512, 0);
        put(&format!("{message_at}/contents/0"), &chunk);
    }
    // Set again at the end of the level.
    tree.remove(&["durable", "kernel", "env", "reboot"]).unwrap();
    if runs == 0 {
        tree.remove(&["durable", "readonly", "kernel", "boot.wasm"]).unwrap();
    }
    tree
}

fn hash(machine: &Machine) -> String {
    machine.state_hash().unwrap().to_string()
}

fn subtree(tree: &Tree, path: &str) -> String {
    let path: Vec<&str> = path.split('/').collect();
    hex(&tree.find_tree(&path).unwrap().unwrap().hash().unwrap())
}

fn commitment(state: StateHash, inbox_level: i32, predecessor: [u8; 32], ticks: u64) -> CommitmentHash {
    let predecessor = CommitmentHash::new(predecessor);
    rollsnap_core::encoding::Commitment {
        compressed_state: state,
        inbox_level,
        predecessor,
        number_of_ticks: ticks as i64,
    }
    .hash()
}

fn natural(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A kernel with one import of so many parameters and a `kernel_run` that does nothing, as the OCaml
/// encoder writes it.
fn link_kernel(import: &str, params: usize) -> Vec<u8> {
    let name = |name: &str| [&[name.len() as u8], name.as_bytes()].concat();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    let mut section = |id: u8, body: &[u8]| {
        module.push(id);
        module.extend(wide(body.len()));
        module.extend(body);
    };
    section(1, &[&[2, 0x60, params as u8][..], &vec![0x7f; params], &[1, 0x7f, 0x60, 0, 0]].concat());
    section(2, &[&[1][..], &name("smart_rollup_core"), &name(import), &[0, 0]].concat());
    section(3, &[1, 1]);
    section(5, &[1, 0, 1]);
    section(7, &[&[2][..], &name("mem"), &[2, 0], &name("kernel_run"), &[0, 1]].concat());
    section(10, &[&[1][..], &wide(3), &[0, 0x01, 0x0b]].concat());
    module
}

/// A module with the sizes of its sections and functions in five bytes, as the OCaml encoder writes
/// them.
fn padded(module: &[u8]) -> Vec<u8> {
    let (header, mut rest) = module.split_at(8);
    let mut out = header.to_vec();
    while let [id, after @ ..] = rest {
        let mut input = after;
        let size = narrow(&mut input);
        let (mut body, next) = input.split_at(size);
        let mut section = Vec::new();
        if *id == 10 {
            let functions = narrow(&mut body);
            section.push(functions as u8);
            for _ in 0..functions {
                let size = narrow(&mut body);
                let (function, next) = body.split_at(size);
                section.extend(wide(size));
                section.extend(function);
                body = next;
            }
        } else {
            section.extend(body);
        }
        out.push(*id);
        out.extend(wide(section.len()));
        out.extend(section);
        rest = next;
    }
    out
}

fn wide(size: usize) -> [u8; 5] {
    [0, 7, 14, 21, 28].map(|shift| (size >> shift & 0x7f) as u8 | if shift < 28 { 0x80 } else { 0 })
}

fn narrow(input: &mut &[u8]) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = input.split_first().unwrap();
        *input = rest;
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}
