//! `rollsnap schema`: the JSON Schemas of everything that is printed as JSON.

use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use rollsnap_core::Result;

use super::output::print;

/// Their names, and their texts.
const SCHEMAS: [(&str, &str); 13] = [
    ("report", include_str!("../../assets/schema/report-1.json")),
    ("data-dir", include_str!("../../assets/schema/data-dir-1.json")),
    ("dry-run", include_str!("../../assets/schema/dry-run-1.json")),
    ("progress", include_str!("../../assets/schema/progress-1.json")),
    ("index", include_str!("../../assets/schema/index-1.json")),
    ("download", include_str!("../../assets/schema/download-1.json")),
    ("repair", include_str!("../../assets/schema/repair-1.json")),
    ("level", include_str!("../../assets/schema/level-1.json")),
    ("context-log", include_str!("../../assets/schema/context-log-1.json")),
    ("context-ls", include_str!("../../assets/schema/context-ls-1.json")),
    ("context-diff", include_str!("../../assets/schema/context-diff-1.json")),
    ("proof", include_str!("../../assets/schema/proof-1.json")),
    ("context-stat", include_str!("../../assets/schema/context-stat-1.json")),
];

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  rollsnap schema\n  rollsnap schema report > report.schema.json")]
pub(super) struct SchemaArgs {
    /// Which one [default: print their names]
    #[arg(value_parser = PossibleValuesParser::new(SCHEMAS.map(|(name, _)| name)))]
    name: Option<String>,
}

pub(super) fn run(args: &SchemaArgs) -> Result<ExitCode> {
    for (name, text) in SCHEMAS {
        match &args.name {
            None => print(format_args!("{name}\n"))?,
            Some(wanted) if wanted == name => print(format_args!("{text}"))?,
            Some(_) => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}
