//! Serves files with faults, for benchmarks and for scripts that kill clients:
//!
//! ```text
//! fault_server [OPTION…] FILE…
//!
//! http://127.0.0.1:PORT                                     first, at once
//! {"body_bytes":N,"requests":N,"connections":N}             for each line on standard input, and at its end
//! ```
//!
//! A file is served below its name. The server ends with its standard input: a script holds a pipe to it, and
//! closes that. Amounts are bytes, or have one of the suffixes k, M, G (powers of 1000), Ki, Mi, Gi.
//! `fault_server --help` lists the options; what they do is said at `Fault` and `Plan` of
//! `rollsnap_tests::fault_server`. The limits are about the fault before them.

use core::time::Duration;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server, http_date};

const USAGE: &str = "\
usage: fault_server [OPTION…] FILE…

resources: --port N  --cors  --expose HEADERS (as --cors, but only these)  --no-etag  --weak-etag
faults:    --throttle BYTES_A_SECOND  --delay MILLISECONDS  --stall-before  --stall-after N
           --drop-before  --drop-after N  --drop-every N  --reset-after N
           --ignore-range  --early N  --late N  --short N  --shift N
           --wrong-total N  --unknown-total  --no-content-range  --ignore-if-range  --ignore-if-match
           --chunked  --until-close  --endless  --length-over N  --length-under N
           --status N  --retry-after STATUS:VALUE  --redirect STATUS:LOCATION
           --html  --garbage  --endless-headers  --corrupt OFFSET  --replace FILE
limits:    --first N  --after N  --from OFFSET  --before OFFSET  --after-bytes N  --on PATH";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match Wanted::parse(arguments) {
        Ok(wanted) if !wanted.files.is_empty() => {
            wanted.serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Ok(_) => refuse("which files?"),
        Err(why) => refuse(&why),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("fault_server: {why}\n{USAGE}");
    ExitCode::from(2)
}

/// What the command line asks for.
#[derive(Default)]
struct Wanted {
    files: Vec<String>,
    port: u16,
    plan: Plan,
    faults: usize,
    /// What pages of other origins see, where they may read; all that they need, if it is empty.
    cors: Option<String>,
    no_etag: bool,
    weak_etag: bool,
}

impl Wanted {
    fn parse(arguments: Vec<String>) -> Result<Self, String> {
        let mut wanted = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let Some(name) = argument.strip_prefix("--") else {
                wanted.files.push(argument);
                continue;
            };
            let mut value = || arguments.next().ok_or(format!("--{name} needs a value"));
            match name {
                "port" => wanted.port = value()?.parse().map_err(|_| "--port: a number, please")?,
                "cors" => wanted.cors = Some(String::new()),
                "expose" => wanted.cors = Some(value()?),
                "no-etag" => wanted.no_etag = true,
                "weak-etag" => wanted.weak_etag = true,
                "first" | "after" | "from" | "before" | "after-bytes" | "on" => {
                    if wanted.faults == 0 {
                        return Err(format!("--{name} is about the fault before it, and there is none"));
                    }
                    wanted.plan = limited(wanted.plan, name, &value()?)?;
                }
                _ => {
                    wanted.plan = wanted.plan.with(fault(name, value)?);
                    wanted.faults += 1;
                }
            }
        }
        Ok(wanted)
    }

    fn serve(self) -> io::Result<()> {
        let server = Server::start_at(self.port, self.plan.clone());
        for file in &self.files {
            let path = Path::new(file);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            server.put(&format!("/{name}"), self.resource(path)?);
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{}", server.url(""))?;
        out.flush()?;
        let mut line = String::new();
        loop {
            line.clear();
            let ended = io::stdin().read_line(&mut line)? == 0;
            let (bytes, requests, connections) =
                (server.body_bytes(), server.requests(), server.connections());
            writeln!(out, r#"{{"body_bytes":{bytes},"requests":{requests},"connections":{connections}}}"#)?;
            out.flush()?;
            if ended {
                return Ok(());
            }
        }
    }

    /// A file that has the same `ETag` when it is served again, as long as nobody has changed it.
    fn resource(&self, path: &Path) -> io::Result<Resource> {
        let metadata = fs::metadata(path)?;
        let modified = metadata.modified()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).map_err(io::Error::other)?;
        let weak = if self.weak_etag { "W/" } else { "" };
        let etag = format!("{weak}\"{:x}-{:x}\"", metadata.len(), since.as_nanos());
        let mut resource = Resource::open(path).etag(&etag).last_modified(http_date(modified));
        resource = if self.no_etag { resource.no_etag() } else { resource };
        Ok(match self.cors.as_deref() {
            None => resource,
            Some("") => resource.cors(),
            Some(exposed) => resource.cors_exposing(exposed),
        })
    }
}

fn limited(plan: Plan, name: &str, value: &str) -> Result<Plan, String> {
    Ok(match name {
        "first" => plan.first(amount(value)?),
        "after" => plan.after(amount(value)?),
        "from" => plan.from(amount(value)?),
        "before" => plan.before(amount(value)?),
        "after-bytes" => plan.after_bytes(amount(value)?),
        _ => plan.on(value),
    })
}

fn fault(name: &str, mut value: impl FnMut() -> Result<String, String>) -> Result<Fault, String> {
    let mut number = || amount(&value()?);
    Ok(match name {
        "throttle" => Fault::Throttle(number()?),
        "delay" => Fault::Delay(Duration::from_millis(number()?)),
        "stall-before" => Fault::StallBefore,
        "stall-after" => Fault::StallAfter(number()?),
        "drop-before" => Fault::DropBefore,
        "drop-after" => Fault::DropAfter(number()?),
        "drop-every" => Fault::DropEvery(number()?),
        "reset-after" => Fault::ResetAfter(number()?),
        "ignore-range" => Fault::IgnoreRange,
        "early" => Fault::Early(number()?),
        "late" => Fault::Late(number()?),
        "short" => Fault::Short(number()?),
        "shift" => Fault::Shift(number()?),
        "wrong-total" => Fault::WrongTotal(number()?),
        "unknown-total" => Fault::UnknownTotal,
        "no-content-range" => Fault::NoContentRange,
        "ignore-if-range" => Fault::IgnoreIfRange,
        "ignore-if-match" => Fault::IgnoreIfMatch,
        "chunked" => Fault::Chunked,
        "until-close" => Fault::UntilClose,
        "endless" => Fault::Endless,
        "length-over" => Fault::LengthOver(number()?),
        "length-under" => Fault::LengthUnder(number()?),
        "status" => Fault::Status(status(&value()?)?),
        "retry-after" => {
            let (code, value) = pair(value()?)?;
            Fault::RetryAfter(code, value)
        }
        "redirect" => {
            let (code, location) = pair(value()?)?;
            Fault::Redirect(code, location)
        }
        "html" => Fault::Html,
        "garbage" => Fault::Garbage,
        "endless-headers" => Fault::EndlessHeaders,
        "corrupt" => Fault::Corrupt(number()?),
        "replace" => Fault::Replace(Resource::open(Path::new(&value()?))),
        _ => return Err(format!("--{name} is not known")),
    })
}

/// `STATUS:VALUE`.
fn pair(value: String) -> Result<(u16, String), String> {
    let (code, rest) = value.split_once(':').ok_or(format!("{value}: STATUS:VALUE, please"))?;
    Ok((status(code)?, rest.to_owned()))
}

fn status(value: &str) -> Result<u16, String> {
    let status = value.parse().ok().filter(|status| (200..1000).contains(status));
    status.ok_or(format!("{value} is no status"))
}

fn amount(value: &str) -> Result<u64, String> {
    let end = value.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(value.len());
    let unit = match &value[end..] {
        "" => Some(1),
        "k" => Some(1_000),
        "M" => Some(1_000_000),
        "G" => Some(1_000_000_000),
        "Ki" => Some(1 << 10),
        "Mi" => Some(1 << 20),
        "Gi" => Some(1 << 30),
        _ => None,
    };
    let amount =
        value[..end].parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    amount.ok_or(format!("{value} is no amount"))
}
