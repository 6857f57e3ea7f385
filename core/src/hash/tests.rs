//! Vectors: real hashes of public chains and of the OCaml sources (encodings, section 7).

use alloc::string::ToString;
use core::str::FromStr;

use super::*;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    core::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn addresses_of_public_rollups() {
    for (text, raw, name) in [
        (
            "sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf",
            "74f8952e7a287d78e8dceec67547bd00a278abbf",
            Some("Etherlink Mainnet"),
        ),
        (
            "sr18wx6ezkeRjt1SZSeZ2UQzQN3Uc3YLMLqg",
            "1fe3404f2e3b82a6d1abfa8780993f4a48565b84",
            Some("Etherlink Testnet"),
        ),
        ("sr1LKpvu5AMnytKyiGgTs8ytMXe25JRnKgcY", "9cafcd606b31e207509cd1f4081d92414d8e1712", None),
        ("sr1RYurGZtN8KNSpkMcCt9CgWeUaNkzsAfXf", "d601f22256d2ad1faec0c64374e527c6e62f2e5a", None),
        ("sr163Lv22CdE8QagCwf48PWDTquk6isQwv57", "0000000000000000000000000000000000000000", None),
        ("sr1Fq8fPi2NjhWUXtcXBggbL6zFjZctGkmso", "6b6209e8037138491d8d5d8ee340000d51b91581", None),
    ] {
        let address = RollupAddress::from_str(text).unwrap();
        assert_eq!(address.as_bytes(), &hex::<20>(raw));
        assert_eq!(address.to_string(), text);
        assert_eq!(address.known_as(), name);
    }
}

#[test]
fn one_text_of_each_kind() {
    let commitment = "src13TanyZ7RvSULqVb2tjx1zRVw2jyJC2ToHLz1ZKg38sZ4HBYdSN";
    assert_eq!(
        CommitmentHash::from_str(commitment).unwrap().as_bytes(),
        &hex::<32>("820b56b936132de76747798cd9930d35e2b0a2c2eea12b01228dfef2fed33b59")
    );
    assert_eq!(CommitmentHash::ZERO.to_string(), "src12UJzB8mg7yU6nWPzicH7ofJbFjyJEbHvwtZdfRXi8DQHNp1LY8");
    let state = StateHash::from_str("srs13FywcbcZV9VvHxdVkYK83Ch4477cqHMgM8d5oT955yf4XXMvKS").unwrap();
    assert_eq!(
        state.as_bytes(),
        &hex::<32>("f0ac38419631e9e89389c47d3cec5f3dd2bb496f3f3b9d6364f81cb180865817")
    );
    for text in [
        "srib12XkmCytoeFugNrh6EfVXz5ekm8HsaFFoDgJdEunGxDB6Lc7JgU",
        "srib13csnmC9KchmtUmLFfA6ANk3gvAnxNBPPEi6zP3x3FqHDJFJeQk",
    ] {
        assert_eq!(InboxHash::from_str(text).unwrap().to_string(), text);
    }
    let witness = "srib22RQVRb6g7hwwMXJqW6RC7EgKLoHPuXVKbRVBPzo3Z9Uz8HkCA3";
    assert_eq!(
        WitnessHash::from_str(witness).unwrap().as_bytes(),
        &hex::<32>("0a5f043148e900d19d02f79abf24b4bd582f6e93abfb9bd8c988eaf75408af3a")
    );
    let message = "srib33kCmHw7Lx68HeVL1KAw9vb29CzfPrir2LX6jfpwv1nwECkqbq9";
    assert_eq!(MessageHash::from_str(message).unwrap().to_string(), message);
    let block = "BLzWqffyMNtRdswogyLLi2mFLrWPeZF3nD7Wa3GuvAW78Yfzd2w";
    assert_eq!(BlockHash::from_str(block).unwrap().to_string(), block);
    // Kinds without a published text: the prefix shows, and the text reads back.
    for (text, prefix) in [
        (ContextHash::new([7; 32]).to_string(), "SRCo"),
        (ProtocolHash::new([7; 32]).to_string(), "P"),
        (SlotCommitment::new([7; 48]).to_string(), "sh"),
        (RevealHash::new([7; 32]).to_string(), "scrrh1"),
    ] {
        assert!(text.starts_with(prefix), "{text}");
    }
}

#[test]
fn what_is_not_a_hash() {
    // From a protocol test of the nodes: a bad checksum.
    assert_eq!(RollupAddress::from_str("sr1Fq8fPi2NjhWUXtcXBggbL6zFjZctDamso"), Err(Error::Checksum));
    assert_eq!(
        RollupAddress::from_str("src13TanyZ7RvSULqVb2tjx1zRVw2jyJC2ToHLz1ZKg38sZ4HBYdSN"),
        Err(Error::Kind { wanted: "sr1" })
    );
    assert_eq!(
        RollupAddress::from_str("sr1Fq8fPi2NjhWUXtcXBggbL6zFjZct0amso"),
        Err(Error::Character { index: 31 })
    );
    assert!(matches!(RollupAddress::from_str("é"), Err(Error::Character { index: 0 })));
    for short in ["", "1", "111", "sr1"] {
        assert!(
            matches!(RollupAddress::from_str(short), Err(Error::Length { .. } | Error::Checksum)),
            "{short}"
        );
    }
    let long = "1".repeat(100_000);
    assert_eq!(RollupAddress::from_str(&long), Err(Error::Length { wanted: "sr1", found: 100_000 }));
}

/// The quick way and the careful one know the same texts: valid ones, and each with one character
/// changed, left out or added in front.
#[test]
fn the_quick_way_agrees_with_the_careful_one() {
    let texts = [
        "BLZMeXe9Dy6ErzdmrXyNygKzwfWxJ7Bq4Eh8qRyWzrhUL5tJsbU",
        "srib23VwBAjmTrBqQQbxvjyQpwm9QrJZXrFNzvQgN5dCMwhfR2ng1Pz",
        "src12UJzB8mg7yU6nWPzicH7ofJbFjyJEbHvwtZdfRXi8DQHNp1LY8",
    ];
    for text in texts {
        assert!(decode_quickly::<32>(text.as_bytes(), kind(text)).is_some(), "{text}");
        for index in 0..text.len() {
            let (before, rest) = text.split_at(index);
            for changed in [
                alloc::format!("{before}{}", &rest[1..]),
                alloc::format!("{before}z{}", &rest[1..]),
                alloc::format!("{before}0{}", &rest[1..]),
                alloc::format!("{before}1{rest}"),
            ] {
                let quick = decode_quickly::<32>(changed.as_bytes(), kind(text));
                let careful = bs58::decode(&changed).into_vec().ok().filter(|bytes| {
                    let (body, sum) = bytes.split_at(bytes.len() - 4);
                    checksum(body) == *sum && body.len() == kind(text).len() + 32
                });
                assert_eq!(quick.is_some(), careful.is_some(), "{changed}");
            }
        }
    }
}

fn kind(text: &str) -> &'static [u8] {
    match text.as_bytes() {
        [b'B', ..] => &[1, 52],
        [b's', b'r', b'i', ..] => &[3, 255, 138, 145, 140],
        _ => &[17, 165, 134, 138],
    }
}
