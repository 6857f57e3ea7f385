//! The proof of a context by several machines: what their reports say together is what one run says,
//! of sound stores and of damaged ones.

use proptest::prelude::*;
use rollsnap_core::context::verify::{
    Audited, AuditedShare, Immediate, Memory, Outcome, Stream, identity, object_bytes, share,
};
use rollsnap_core::context::{Context, Contexts, INDEX_FILES};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::report::{ContextShare, ContextStats, ShareInfo, Status, merge};
use rollsnap_core::{Code, Report, Verdict};
use rollsnap_tests::damaged;
use rollsnap_tests::irmin::{self, STORES, Store, UPSTREAM};

/// How many machines there are.
pub(super) const DIVISIONS: [u32; 5] = [1, 2, 3, 5, 7];

fn listed(store: &Store) -> Contexts {
    let mut contexts = Contexts::default();
    for name in INDEX_FILES {
        if let Some(bytes) = store.0.get(name) {
            contexts.begin(name);
            contexts.data(&bytes.0);
            contexts.end();
        }
    }
    contexts.complete()
}

fn whole(store: &Store) -> Outcome {
    let mut stream = match Context::open(store) {
        Ok(context) => {
            Stream::with(Immediate, Memory::default(), context.layout().clone(), context.dict().clone())
        }
        Err(_) => Stream::new(Immediate, Memory::default()),
    };
    for (name, bytes) in &store.0 {
        stream.begin(name, bytes.0.len() as u64);
        stream.data(&bytes.0).unwrap();
        stream.end();
    }
    stream.finish(&mut Silent).unwrap()
}

/// What one run says.
pub(super) fn one(store: &Store) -> Report {
    let Audited { evidence, totals, .. } = Audited::of(whole(store), listed(store));
    let mut report = Report::new();
    report.context = totals.as_ref().map(ContextStats::from);
    evidence.conclude(&mut report, true);
    report
}

/// What a share says, and whether it read its part alone.
fn of_share(store: &Store, shard: (u32, u32)) -> (Report, bool) {
    let files = identity(&store, &Silent).unwrap();
    let context = Context::open(store).ok();
    let found = context
        .as_ref()
        .and_then(|context| share(context, shard, Immediate, &mut Silent, Phase::only("")).unwrap());
    let alone = found.is_some();
    let found = match found {
        Some(found) => Audited::of_share(found, shard, files, listed(store)),
        None => {
            let bytes = context.as_ref().map_or(0, object_bytes);
            let context = ContextShare { files, bytes, first: 0, end: bytes, whole: true };
            AuditedShare { audited: Audited::of(whole(store), listed(store)), context }
        }
    };
    let AuditedShare { audited: Audited { evidence, totals, .. }, context } = found;
    let mut report = Report::new();
    report.context = totals.as_ref().map(ContextStats::from);
    let info = ShareInfo { context: Some(context), ..ShareInfo::new(shard.0, shard.1) };
    info.conclude(evidence, &mut report, true);
    (report, alone)
}

fn merged(reports: impl IntoIterator<Item = Report>) -> Result<Report, rollsnap_core::Problem> {
    merge(reports.into_iter().map(|report| ("a report".to_owned(), report)).collect())
}

/// What a report says, but for the order in which it does.
fn said(report: &Report) -> (Verdict, Option<ContextStats>, Vec<String>, u64) {
    let mut checks: Vec<String> = report.checks.iter().map(|check| format!("{check:?}")).collect();
    checks.sort();
    (report.verdicts.consistent, report.context.clone(), checks, report.checks_left_out)
}

/// All shares together say what one run says. How many read their parts alone.
pub(super) fn agree(store: &Store, of: u32, about: &str) -> usize {
    let shares: Vec<_> = (1..=of).map(|number| of_share(store, (number, of))).collect();
    let alone = shares.iter().filter(|(_, alone)| *alone).count();
    let all = merged(shares.into_iter().rev().map(|(report, _)| report)).unwrap();
    assert_eq!(said(&all), said(&one(store)), "{about}, {of} shares");
    alone
}

#[test]
fn sound_stores() {
    let others = UPSTREAM.iter().filter(|name| **name != "6_index_data");
    for name in STORES.iter().chain(others) {
        let store = irmin::store(name);
        let report = one(&store);
        let alone: usize = DIVISIONS.iter().map(|of| agree(&store, *of, name)).sum();
        // What is strange makes those that meet it read the whole, and none besides.
        let strange = report.checks.iter().filter(|check| check.status == Status::Warning).count();
        assert_eq!(alone == 18, strange == 0, "{name}: {alone} of 18");
        assert!(alone >= 7, "{name}: {alone} of 18");
    }
}

#[test]
fn damaged_variants() {
    for variant in damaged::variants() {
        for of in [2, 5] {
            agree(&variant.store, of, &variant.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Bits of any file turned over, and bytes of it taken away.
    #[test]
    fn mutants(
        name in 0..STORES.len() - 1,
        file: prop::sample::Index,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 0..3),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        of in prop::sample::select(&DIVISIONS[1..]),
    ) {
        let mut store = irmin::store(STORES[name]);
        let files: Vec<String> = store.0.keys().filter(|name| !store.get(name).is_empty()).cloned().collect();
        let file = file.get(&files);
        let bytes = store.edit(file);
        for (at, flip) in &flips {
            *at.get_mut(bytes) ^= flip;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        agree(&store, of, &format!("{}, {file}, {flips:?}, {cut:?}", STORES[name]));
    }
}

// --- Reports that do not belong together --------------------------------------------------------------

fn shares(store: &Store, of: u32) -> Vec<Report> {
    (1..=of).map(|number| of_share(store, (number, of)).0).collect()
}

fn refused(reports: impl IntoIterator<Item = Report>) -> Code {
    merged(reports).unwrap_err().code()
}

#[test]
fn a_share_alone_proves_nothing() {
    let store = irmin::store("split");
    for report in shares(&store, 3) {
        assert_eq!(report.verdicts.consistent, Verdict::Unknown);
        assert_eq!(report.share.as_ref().unwrap().holds, Verdict::Yes);
        assert_eq!(refused([report]), Code::ReportGap);
    }
    assert_eq!(shares(&store, 1)[0].verdicts.consistent, Verdict::Yes);
}

#[test]
fn gaps_overlaps_and_others() {
    let store = irmin::store("split");
    let three = shares(&store, 3);
    let with = |at: usize, change: fn(&mut ShareInfo)| {
        let mut reports = three.clone();
        change(reports[at].share.as_mut().unwrap());
        refused(reports)
    };
    assert_eq!(refused(three[..2].to_vec()), Code::ReportGap);
    assert_eq!(refused(three[1..].to_vec()), Code::ReportGap);
    assert_eq!(refused([&three[..], &three[1..2]].concat()), Code::ReportOverlap);
    assert_eq!(refused([&three[..1], &shares(&store, 2)[1..]].concat()), Code::ReportOther);
    let other = irmin::store("gc-last");
    assert_eq!(refused([&three[..2], &shares(&other, 3)[2..]].concat()), Code::ReportOther);
    // The same with one more file, and with another index.
    let mut more = store.clone();
    more.edit("something").push(1);
    assert_eq!(refused([&three[..2], &shares(&more, 3)[2..]].concat()), Code::ReportOther);
    let mut changed = store.clone();
    *changed.edit("index/log").last_mut().unwrap() ^= 1;
    assert_eq!(refused([&three[..2], &shares(&changed, 3)[2..]].concat()), Code::ReportOther);
    assert_eq!(with(2, |share| share.context = None), Code::ReportOther);
    assert_eq!(with(1, |share| share.number = 0), Code::ReportForm);
    assert_eq!(with(1, |share| share.number = 4), Code::ReportForm);
    assert_eq!(with(1, |share| share.number = u32::MAX), Code::ReportForm);
    let context = |share: &mut ShareInfo, first: i64, end: i64| {
        let context = share.context.as_mut().unwrap();
        context.first = context.first.checked_add_signed(first).unwrap();
        context.end = context.end.checked_add_signed(end).unwrap();
    };
    // Both ends moved: the numbers add up, and the bytes do not follow each other.
    let moved = |by: i64| {
        let mut reports = three.clone();
        context(reports[1].share.as_mut().unwrap(), by, by);
        refused(reports)
    };
    assert_eq!(moved(1), Code::ReportGap);
    assert_eq!(moved(-1), Code::ReportOverlap);
    let mut short = three.clone();
    context(short[2].share.as_mut().unwrap(), 0, -1);
    short[2].context.as_mut().unwrap().objects.bytes -= 1;
    short[2].context.as_mut().unwrap().contents.bytes -= 1;
    assert_eq!(refused(short), Code::ReportGap);
}

/// What a hostile report claims is refused where it contradicts itself.
#[test]
fn reports_that_contradict_themselves() {
    let three = shares(&irmin::store("split"), 3);
    let with = |change: &dyn Fn(&mut Report)| {
        let mut reports = three.clone();
        change(&mut reports[1]);
        refused(reports)
    };
    fn context(report: &mut Report) -> &mut ContextShare {
        report.share.as_mut().unwrap().context.as_mut().unwrap()
    }
    fn stats(report: &mut Report) -> &mut ContextStats {
        report.context.as_mut().unwrap()
    }
    let changes: [&dyn Fn(&mut Report); 12] = [
        &|report| report.context = None,
        &|report| stats(report).objects.count += 1,
        &|report| stats(report).inner.bytes += 1,
        &|report| stats(report).contents.count = u64::MAX,
        &|report| {
            stats(report).objects.bytes = u64::MAX;
            stats(report).contents.bytes = u64::MAX;
        },
        &|report| context(report).end = u64::MAX,
        &|report| context(report).first = u64::MAX,
        &|report| context(report).end = context(report).first,
        &|report| report.checks.clear(),
        &|report| report.verdicts.consistent = Verdict::No,
        &|report| report.verdicts.replayed = Some(Verdict::Yes),
        &|report| report.share.as_mut().unwrap().holds = Verdict::No,
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(with(change), Code::ReportForm, "{number}");
    }
    // None of a share at all.
    assert_eq!(with(&|report| report.share = None), Code::ReportShare);
    // A share that did not come to its end leaves the answer open.
    let mut open = three.clone();
    open[1].share.as_mut().unwrap().holds = Verdict::Unknown;
    assert_eq!(merged(open).unwrap().verdicts.consistent, Verdict::Unknown);
}
