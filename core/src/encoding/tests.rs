//! Vectors: real hashes of public chains and proofs, and the format description's own.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::hash::{InboxHash, WitnessHash};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// On-chain commitments (staked and genesis) with their published hashes.
#[test]
fn commitments_of_public_rollups() {
    let zero = "src12UJzB8mg7yU6nWPzicH7ofJbFjyJEbHvwtZdfRXi8DQHNp1LY8";
    for (state, inbox_level, predecessor, number_of_ticks, hash) in [
        (
            "srs13FywcbcZV9VvHxdVkYK83Ch4477cqHMgM8d5oT955yf4XXMvKS",
            197_151,
            "src12i7dL2z9VbgshFDdGFP5TPBoJu6WnZNWJXGa1QQgPTErVPPtd8",
            880_000_000_000,
            "src13TanyZ7RvSULqVb2tjx1zRVw2jyJC2ToHLz1ZKg38sZ4HBYdSN",
        ),
        (
            "srs12r6jebz4VTuP1C58mHGzezqFQdV6n5pdaqEamDo4FvD9omn9YJ",
            41_806,
            "src12rCbiTAvYntPQXcMoqdNh6ZXXBmfxzhaxZsxsbRKGC7bE3L1mD",
            880_000_000_000,
            "src14ErSMhBhf3Hi6isN3cEdR4RgxT5egSjQYtgHEc5NP9qVFgmcpE",
        ),
        (
            "srs11y1ZCJfeWnHzoX3rAjcTXiphwg8NvqQhvishP3PU68jgSREuk6",
            1495,
            zero,
            0,
            "src13wCGc2nMVfN7rD1rgeG3g1q7oXYX2m5MJY5ZRooVhLt7JwKXwX",
        ),
        (
            "srs11y1ZCJfeWnHzoX3rAjcTXiphwg8NvqQhvishP3PU68jgSREuk6",
            36_393,
            zero,
            0,
            "src135NQY1CGVUaYdE5Jp4PZn8CzGuznh4bz8z5cwtuCbSanLMdPER",
        ),
        (
            "srs11oZPkJ29NScBa54k4CeJgrxdaAyJPS9Ck1fkkMcDLLJRkwNc2c",
            47_881,
            zero,
            0,
            "src14Khe1dnFbwrtTSEi4XWxxM7ej7L29YmduJhQY7U24Y523dmMtw",
        ),
    ] {
        let commitment = Commitment {
            compressed_state: state.parse().unwrap(),
            inbox_level,
            predecessor: predecessor.parse().unwrap(),
            number_of_ticks,
        };
        assert_eq!(commitment.hash().to_string(), hash);
        assert_eq!(Commitment::parse(&commitment.to_bytes()), Ok(commitment));
    }
}

/// The first of them, in bytes.
#[test]
fn encoding_of_a_commitment() {
    let bytes = hex("f0ac38419631e9e89389c47d3cec5f3dd2bb496f3f3b9d6364f81cb180865817 0003021f \
        1f5810ce973920dfe2c4047713e6ddf82c7f8a5b41afc86582822d6c15e6c2dd 000000cce4166000");
    let commitment = Commitment::parse(&bytes).unwrap();
    assert_eq!(commitment.hash().to_string(), "src13TanyZ7RvSULqVb2tjx1zRVw2jyJC2ToHLz1ZKg38sZ4HBYdSN");
    assert_eq!(commitment.inbox_level, 197_151);
    assert!(Commitment::parse(&bytes[..75]).is_err());
    assert!(Commitment::parse(&[&bytes[..], &[0]].concat()).is_err());
}

/// Three cells of a proof of the nodes' own tests, linked by their hashes.
#[test]
fn inbox_cells_of_a_proof() {
    for (index, level, bytes, hash) in [
        (
            2,
            3,
            "02 0a5f043148e900d19d02f79abf24b4bd582f6e93abfb9bd8c988eaf75408af3a 00000003 00000020 \
             ed9e0e19c20a3b721dab18672f6970178470220ead77baa226397a08bd7e876b",
            "srib12XkmCytoeFugNrh6EfVXz5ekm8HsaFFoDgJdEunGxDB6Lc7JgU",
        ),
        (
            3,
            4,
            "03 64a4a59f6b439e7e70cc6a3db142f3389ebe3c825c0e6415880ce60e4983db26 00000004 00000020 \
             426a3cc0ad6a52091e3d0e0db02ee1fcd56f50c46b7d292502485c175d63c9b9",
            "srib13csnmC9KchmtUmLFfA6ANk3gvAnxNBPPEi6zP3x3FqHDJFJeQk",
        ),
        (
            7,
            8,
            "07 c33fc08871ca22ec9f40c437074d7c036c0f7f73847d1c06c9a17e1996b7d944 00000008 00000040 \
             b9229c6473b0774f80374639e5a5d67d9cf2a44a3791e716cd9c344158f95d43 \
             d1bd41e8f0d23a94f58094dfdd6138fd1789f68a675fac5315ed813d38fa5b9e",
            "srib12Zs9EHju7b3UnfhVX2ngmqJ4h1nb6sL5Yqp1z9TNL8hRYKtt62",
        ),
    ] {
        let cell = Cell::parse(&hex(bytes)).unwrap();
        assert_eq!((cell.index, cell.level), (index, level));
        assert_eq!(cell.hash().to_string(), hash);
    }
    // The cell of level 3 is the first back pointer of the cell of level 4.
    let first: InboxHash = "srib12XkmCytoeFugNrh6EfVXz5ekm8HsaFFoDgJdEunGxDB6Lc7JgU".parse().unwrap();
    assert_eq!(first.as_bytes()[..4], [0x42, 0x6a, 0x3c, 0xc0]);
}

/// A genesis cell and the next one.
#[test]
fn the_next_inbox_cell() {
    let witness: WitnessHash = "srib22tzdGtxV3taucEanSfxCEaa913X3ojWTpxmBmD7qPZ8mHGQ8Kg".parse().unwrap();
    let genesis = Cell { index: 0, witness, level: 10, back_pointers: vec![] };
    assert_eq!(genesis.hash().to_string(), "srib12To2yYy28vTBqSi43Hhd1V2UUnigdhi5BNdKdK4zgLz5eGvMD9");
    let next = Cell::parse(&hex(
        "01 23803f57ed74aed2311b9d74c69ad1e79c8117fa0dc37455e494559883b15399 0000000b 00000020 \
         396be38c0bfb92e8d878c28e429bab321e8dc9d9e0722dbb446c0c63c30b50d2",
    ))
    .unwrap();
    assert_eq!(next.hash().to_string(), "srib12vbSQFZ3denZ23XQ7wCu4ghcHudfybPRGcUpUVFBtXTHQz7Y3m");
    assert_eq!(next.back_pointers, genesis.next_back_pointers(&genesis.hash()));
}

/// Six messages: list encoding, one deflate form of it, witness.
#[test]
fn a_list_of_messages() {
    let list = hex("00000054 00000002 0001 0000002a 0003000000006592008000010203040506070809\
         0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00000006 0168656c6c6f 00000006 01776f726c64 00000002 0121 \
         00000002 0002");
    let deflated = hex(
        "6360600861606060626004925a0ccc40922175124303032313330b2b1b3b072717370f2f1fbf80a090b088a898b884a494b48cac9c3c\
         50191b63466a4e4e3e98559e5f949302328751116c1a1300",
    );
    let mut inflater = Inflater::new();
    assert_eq!(inflater.inflate(&deflated).unwrap(), list);
    let messages = MessageList::parse(&list).unwrap();
    assert_eq!(messages.messages().len(), 6);
    assert!(messages.is_whole());
    assert_eq!(messages.info().unwrap().timestamp, 1_704_067_200);
    let witness = messages.witness().unwrap().to_string();
    assert_eq!(witness, "srib22cUQ3YEUUn9c8MLbrgmBEf2uVumnYAbUnhwpTc7UXwPEcdcNkE");

    for len in 0..list.len() {
        assert!(MessageList::parse(&list[..len]).is_err(), "{len}");
    }
    for len in 0..deflated.len() {
        assert!(inflater.inflate(&deflated[..len]).is_err(), "{len}");
    }
    assert!(inflater.inflate(&[&deflated[..], &[0]].concat()).is_err());
}

#[test]
fn the_smallest_list_with_a_witness() {
    let info = [&[0, 3][..], &[0; 40]].concat();
    let mut list = 56u32.to_be_bytes().to_vec();
    for message in [&[0, 1][..], &info, &[0, 2]] {
        list.extend((message.len() as u32).to_be_bytes());
        list.extend(message);
    }
    let messages = MessageList::parse(&list).unwrap_err();
    assert_eq!(messages, Malformed("bytes follow its end"));
    list[..4].copy_from_slice(&58u32.to_be_bytes());
    let messages = MessageList::parse(&list).unwrap();
    let witness = messages.witness().unwrap().to_string();
    assert_eq!(witness, "srib22tzdGtxV3taucEanSfxCEaa913X3ojWTpxmBmD7qPZ8mHGQ8Kg");
    assert_eq!(MessageList::parse(&[0; 4]).unwrap().witness(), None);
    let deflated = hex("636060600000");
    assert_eq!(Inflater::new().inflate(&deflated).unwrap(), [0; 4]);
}

/// Back pointers of a real proof: cell 5 keeps the second pointer of cell 4.
#[test]
fn witness_cells_of_a_proof() {
    let four: WitnessHash = "srib22RPiFGiDYkiCDiyMzFx8HsvcwRYggwNHBTc9GEhArpZV8YZv6R".parse().unwrap();
    let five: WitnessHash = "srib23sLbUHYkA9kbpsPDtMv3iTrdNToFma43RfDy9zChzJJSQB5ouT".parse().unwrap();
    let message: crate::hash::MessageHash =
        "srib33Ca4jBas2H1X9UqdR71HfXE461mTzr7tqrBaCcgbGTzMTyoA3T".parse().unwrap();
    let back: [u8; 32] =
        hex("4dd4e700aae1d5046368abd3874e2381a67183a76ee0c0d4470980a6b26c9630").try_into().unwrap();
    let pointers = skip_list::next_pointers(4, &[back, back], *four.as_bytes());
    assert_eq!(pointers, [*four.as_bytes(), back]);
    let hash = blake2b(&[message.as_bytes(), pointers.as_flattened()]);
    assert_eq!(WitnessHash::new(hash), five);
}

#[test]
fn natural_numbers() {
    for (bytes, value) in
        [("00", 0), ("7f", 127), ("8001", 128), ("ac02", 300), ("80c0d9a0ce19", 880_000_000_000u128)]
    {
        assert_eq!(primitive::natural(&mut &hex(bytes)[..]), Ok(value));
        assert_eq!(primitive::natural_bytes(value), hex(bytes));
    }
    for bad in ["", "80", "8000", "ff00", &"ff".repeat(30), &("ff".repeat(18) + "7f")] {
        assert!(primitive::natural(&mut &hex(bad)[..]).is_err(), "{bad}");
    }
}
