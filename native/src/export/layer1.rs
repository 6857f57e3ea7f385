//! What an export asks other programs: layer 1 about the commitment before the last one (rule
//! E10), and the rollup node to stop its garbage collection.

use rollsnap_core::feedback::Notice;
use rollsnap_core::layer1;
use rollsnap_core::report::Check;
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use super::Options;
use super::rules::Rules;
use crate::data_dir::{DataDir, Metadata};
use crate::l1::client::Client;
use crate::l1::{L1, publication};
use crate::store::{Accept, Rows, Store};

/// Rule E10, before any lock is taken: it may take a while. `None` when layer 1 is not to be asked.
pub(super) fn before(
    data_dir: &DataDir,
    rules: &Rules,
    metadata: &Metadata,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Option<Check>> {
    let asked = rules.unasked(options).is_none();
    let Some(endpoint) = options.endpoint.as_deref().filter(|_| asked) else { return Ok(None) };
    let store = Store::open(&data_dir.store(), Accept::Current)?;
    store.head()?;
    let block = rules.level.resolve(&store)?;
    let last = block.most_recent_commitment();
    let wanted = store.wanted_before_export(metadata.rollup_address, last)?;
    store.close()?;
    let l1 = L1::new(endpoint, crate::l1::Options::default())?;
    publication::search(&l1, &wanted, feedback)?.into_result()?;
    let which =
        if wanted.commitment == last { "the last commitment" } else { "the commitment before the last one" };
    Ok(Some(Check::yes(Code::L1Commitment, format!("layer 1 knows {which}, {}", wanted.commitment))))
}

/// Asks the rollup node to stop its garbage collection, so that its lock comes free. Whatever goes
/// wrong, the export goes on: then it waits.
pub(super) fn cancel_gc(endpoint: Option<&str>, feedback: &mut dyn Feedback) -> Result<()> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    let asked = Client::new(endpoint, crate::l1::Options::default())
        .and_then(|client| client.get("/admin/cancel_gc", feedback));
    let text = match asked {
        Ok(answer) if answer.status == 200 => match answer.body.trim_ascii() {
            b"true" => "Rollup node GC canceled".to_owned(),
            b"false" => "No ongoing GC in rollup node".to_owned(),
            _ => failed("the answer is neither true nor false"),
        },
        Ok(answer) => failed(&format!("HTTP status {}", answer.status)),
        Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
        Err(problem) => failed(&said(&problem)),
    };
    feedback.notice(Notice::Remark(&text));
    Ok(())
}

/// Adds what layer 1 said, or that it was not asked.
pub(super) fn remarked(
    mut report: Report,
    published: Option<Check>,
    rules: &Rules,
    options: &Options,
) -> Report {
    report.add(published.unwrap_or_else(|| layer1::not_asked(rules.unasked(options).unwrap_or("no answer"))));
    report
}

fn failed(why: &str) -> String {
    format!(
        "Could not cancel rollup node GC (use --rollup-node-endpoint for that) because of the following error: \
         {why}. Continuing anyway."
    )
}

/// The cause rather than the title, which speaks of layer 1.
fn said(problem: &Problem) -> String {
    problem.cause().unwrap_or(problem.title()).to_owned()
}
