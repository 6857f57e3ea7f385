use super::*;
use crate::code::Code;
use crate::scratch::InMemory;

/// Objects of all kinds at irregular distances in two parts, compared with a plain list: all in memory, and with
/// room for a few blocks only.
#[test]
fn what_was_put_in_is_found() {
    for most in [None, Some(200_000), Some(0)] {
        let mut table = Table::default();
        if let Some(most) = most {
            table.spill(Box::new(InMemory::default()), most);
        }
        let mut plain = Vec::new();
        for part in 0..2 {
            assert_eq!(table.part(), part);
            let mut position = u64::from(part) * 7;
            for number in 0..40_000u64 {
                let kind = [Kind::Contents, Kind::Inner, Kind::Root, Kind::Inner][(number % 4) as usize];
                let mut hash = [part as u8; 32];
                hash[..8].copy_from_slice(&number.to_le_bytes());
                let spot = Spot { part, position };
                let object = table.push(spot, kind, &hash).unwrap();
                table.set_facts(object, Facts::values(number, 1, 64));
                plain.push((spot, kind, hash, number));
                position += 34 + number * number % 977 + if number % 5000 == 0 { 300_000 } else { 0 };
                table.rest();
            }
        }
        // From far apart, so that blocks go and come back.
        for step in 0..plain.len() {
            let (spot, .., number) = plain[step * 7919 % plain.len()];
            if number % 3 == 0 {
                let object = table.find(spot).unwrap();
                table.set(object, Flag::Used);
            }
            table.rest();
        }
        assert_eq!(table.spilled() > 0, most.is_some());
        for (spot, kind, hash, number) in &plain {
            let object = table.find(*spot).unwrap();
            assert_eq!((object.kind, table.hash(object)), (*kind, hash));
            assert_eq!(table.has(object, Flag::Used), number % 3 == 0);
            if *kind == Kind::Inner {
                assert_eq!(table.facts(object), Facts::values(*number, 1, 64));
            }
            assert_eq!(table.find(Spot { position: spot.position + 1, ..*spot }), None);
            table.rest();
            if let Some(most) = most {
                // What was asked for last stays: a few blocks.
                assert!(table.resident() - table.around() <= most + 4 * 56_000);
            }
        }
        let mut listed = Vec::new();
        table
            .each(1, |position, kind| {
                listed.push((position, kind));
                Ok(())
            })
            .unwrap();
        let second = plain.iter().filter(|(spot, ..)| spot.part == 1);
        let wanted: Vec<_> = second.map(|(spot, kind, ..)| (spot.position, *kind)).collect();
        assert_eq!(listed, wanted);
        let (first, ..) = plain[0];
        assert_eq!(table.push(first, Kind::Root, &[0; 32]), None);
        assert_eq!(table.find(Spot { part: 9, position: 0 }), None);
        let objects: u64 = plain.iter().map(|(_, kind, ..)| if *kind == Kind::Inner { 52 } else { 36 }).sum();
        assert_eq!(table.taken() - table.around(), objects);
        table.check().unwrap();
    }
}

/// A part can be gone on with after its last block was put away.
#[test]
fn a_part_goes_on() {
    let mut table = Table::default();
    table.spill(Box::new(InMemory::default()), 0);
    let part = table.part();
    for number in 0..100 {
        let spot = Spot { part, position: number * 50 };
        assert!(table.push(spot, Kind::Contents, &[number as u8; 32]).is_some());
        for _ in 0..8 {
            table.rest();
        }
    }
    for number in 0..100 {
        let object = table.find(Spot { part, position: number * 50 }).unwrap();
        assert_eq!(table.hash(object), &[number as u8; 32]);
    }
}

/// Space that runs out is reported from then on, and what is asked for later is not found.
#[test]
fn space_that_runs_out() {
    let mut table = Table::default();
    table.spill(Box::new(InMemory::new(100_000)), 0);
    let part = table.part();
    let mut number = 0;
    while table.check().is_ok() {
        table.push(Spot { part, position: number * 100 }, Kind::Inner, &[1; 32]);
        table.rest();
        number += 1;
        assert!(number < 10_000);
    }
    assert_eq!(table.check().unwrap_err().code(), Code::LimitSpace);
    assert_eq!(table.find(Spot { part, position: 0 }), None);
}

#[test]
fn memory_of_an_object() {
    let mut table = Table::default();
    table.part();
    for number in 0..1 << 20 {
        table.push(Spot { part: 0, position: number * 90 }, Kind::Inner, &[0; 32]);
    }
    assert!(table.memory() < 55 << 20, "{}", table.memory());
}
