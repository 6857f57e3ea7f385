//! Work that a thread of its own does while its job goes on with something else.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::{Allowance, Code, Feedback, Problem, Result};

use crate::io;

/// How often it is looked whether the work is done, or the user wants to stop.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// The work. When this is dropped it has ended, or was stopped.
pub(crate) struct Aside<T> {
    name: &'static str,
    thread: Option<JoinHandle<Result<T>>>,
    state: Arc<State>,
}

/// What is known of it meanwhile.
#[derive(Default)]
struct State {
    stop: AtomicBool,
    /// In the unit of its phase; 0 as long as nobody knows.
    total: AtomicU64,
    done: AtomicU64,
    /// Notices that wait to be shown.
    told: Mutex<Vec<(Form, String)>>,
}

/// What a notice is that waits.
enum Form {
    TakesSpace,
    Lacking,
    Remark,
}

impl Form {
    fn notice(self, text: &str) -> Notice<'_> {
        match self {
            Self::TakesSpace => Notice::TakesSpace(text),
            Self::Lacking => Notice::Lacking(text),
            Self::Remark => Notice::Remark(text),
        }
    }
}

impl<T: Send + 'static> Aside<T> {
    /// Starts the `work` in a thread of this name. Its feedback tells it when to stop, and how much memory it may take.
    ///
    /// # Errors
    /// [`Code::IoOther`] when no thread can be started.
    pub(crate) fn start(
        name: &'static str,
        allowance: Allowance,
        work: impl FnOnce(&mut dyn Feedback) -> Result<T> + Send + 'static,
    ) -> Result<Self> {
        let state = Arc::new(State::default());
        let mut watch = Watch { state: state.clone(), allowance };
        let thread = thread::Builder::new().name(name.into()).spawn(move || work(&mut watch));
        Ok(Self { name, thread: Some(thread.map_err(io::no_thread)?), state })
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_at_work(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// What came of it, if it has ended; it is given away once.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) fn ended(&mut self) -> Result<Option<T>> {
        let Some(thread) = self.thread.take_if(|thread| thread.is_finished()) else { return Ok(None) };
        let lost = || Problem::new(Code::IoOther).headline(format!("a thread has ended: {}", self.name));
        thread.join().map_err(|_| lost())?.map(Some)
    }

    /// Waits for its end. What it has told is shown, and from now on how far it is, as this phase.
    ///
    /// # Errors
    /// Those of the work, [`Code::Cancelled`].
    pub(crate) fn wait(mut self, phase: Phase, feedback: &mut dyn Feedback) -> Result<T> {
        while self.state.total.load(Ordering::Acquire) == 0 && self.is_at_work() {
            feedback.checkpoint()?;
            thread::sleep(POLL);
        }
        let total = match self.state.total.load(Ordering::Acquire) {
            0 => None,
            total => Some(total),
        };
        feedback.phase(Phase { total, ..phase });
        let mut shown = 0;
        loop {
            let ended = self.ended();
            for (form, text) in self.state.told.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                feedback.notice(form.notice(&text));
            }
            let done = self.state.done.load(Ordering::Relaxed).min(total.unwrap_or(u64::MAX));
            feedback.advance(done.saturating_sub(shown));
            shown = shown.max(done);
            match ended? {
                Some(found) => return Ok(found),
                None if self.thread.is_none() => return Err(Problem::new(Code::Cancelled)),
                None => {
                    feedback.checkpoint()?;
                    thread::sleep(POLL);
                }
            }
        }
    }
}

impl<T> Drop for Aside<T> {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Nobody wants what it says any more.
            let _ = thread.join();
        }
    }
}

/// Nobody watches yet, but it can be stopped.
struct Watch {
    state: Arc<State>,
    allowance: Allowance,
}

impl Feedback for Watch {
    fn phase(&mut self, phase: Phase) {
        self.state.done.store(0, Ordering::Relaxed);
        self.state.total.store(phase.total.unwrap_or_default(), Ordering::Release);
    }

    fn advance(&mut self, done: u64) {
        self.state.done.fetch_add(done, Ordering::Relaxed);
    }

    fn note(&mut self, text: &str) {
        self.notice(Notice::Remark(text));
    }

    fn notice(&mut self, notice: Notice<'_>) {
        let form = match notice {
            Notice::TakesSpace(_) => Form::TakesSpace,
            Notice::Lacking(_) => Form::Lacking,
            _ => Form::Remark,
        };
        let mut told = self.state.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push((form, notice.text().into()));
    }

    fn cancelled(&self) -> bool {
        self.state.stop.load(Ordering::Relaxed)
    }

    fn allowance(&self) -> Allowance {
        self.allowance
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rollsnap_core::feedback::{Silent, Unit};

    use super::*;

    /// Records what a user would see.
    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Feedback for Heard {
        fn phase(&mut self, phase: Phase) {
            self.0.push(format!("{} of {:?}", phase.name, phase.total));
        }

        fn advance(&mut self, done: u64) {
            if done > 0 {
                self.0.push(format!("{done}"));
            }
        }

        fn note(&mut self, text: &str) {
            self.0.push(text.into());
        }
    }

    #[test]
    fn what_was_told_meanwhile_is_shown_when_it_is_waited_for() {
        let (ready, is_ready) = mpsc::channel::<()>();
        let aside = Aside::start("test", Allowance::default(), move |watch| {
            watch.phase(Phase { total: Some(7), unit: Unit::Bytes, ..Phase::only("unheard") });
            watch.advance(3);
            watch.notice(Notice::TakesSpace("much"));
            drop(ready);
            watch.advance(4);
            Ok(5)
        });
        let aside = aside.unwrap();
        assert!(is_ready.recv().is_err());
        let mut heard = Heard::default();
        assert_eq!(aside.wait(Phase::only("work"), &mut heard), Ok(5));
        assert_eq!(heard.0[..2], ["work of Some(7)", "much"]);
        let advanced: u64 = heard.0[2..].iter().map(|done| done.parse::<u64>().unwrap()).sum();
        assert_eq!(advanced, 7);
    }

    #[test]
    fn a_panic_is_an_error_and_a_problem_comes_out() {
        let lost = Aside::<()>::start("test", Allowance::default(), |_| panic!("on purpose")).unwrap();
        let problem = lost.wait(Phase::only("work"), &mut Silent).unwrap_err();
        assert_eq!(problem.code(), Code::IoOther);
        let failed = |_: &mut dyn Feedback| Err::<(), _>(Problem::new(Code::StoreDamaged));
        let failed = Aside::start("test", Allowance::default(), failed).unwrap();
        let problem = failed.wait(Phase::only("work"), &mut Silent).unwrap_err();
        assert_eq!(problem.code(), Code::StoreDamaged);
    }

    #[test]
    fn work_that_is_not_wanted_any_more_is_stopped() {
        let aside = Aside::start("test", Allowance::default(), |watch| {
            while !watch.cancelled() {
                thread::sleep(POLL);
            }
            Err::<(), _>(Problem::new(Code::Cancelled))
        });
        // Waits for the thread.
        drop(aside.unwrap());
    }
}
