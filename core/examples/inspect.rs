//! A snapshot from front to end, in pieces as they come: its members, and the verdict *Intact*.
//!
//! ```sh
//! cargo run --example inspect -- FILE
//! ```

use core::convert::Infallible;
use core::error::Error;
use std::fs::File;
use std::io::Read;

use rollsnap_core::snapshot::{Event, Inspector, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: inspect FILE")?;
    let mut file = File::open(path)?;
    let mut inspector = Inspector::new(Options::default());
    let mut members = 0;
    let mut hear = |event: Event<'_>| -> Result<(), Infallible> {
        match event {
            Event::Member(member) => {
                members += 1;
                println!("{:>12}  {}", member.size, member.name);
            }
            Event::Problem(problem) => println!("problem: {problem}"),
            _ => {}
        }
        Ok(())
    };

    let mut piece = [0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            len => inspector.feed(&piece[..len], &mut hear)?,
        }
    }
    let report = inspector.finish(&mut hear)?;
    println!("{members} members; intact: {}", report.verdicts.intact.words());
    Ok(())
}
