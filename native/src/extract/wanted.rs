//! The members that a user asks for: by name, by directory, or by pattern.

use std::collections::BTreeSet;

use fast_glob::{glob_match, validate};
use rollsnap_core::{Code, Problem, Result};

/// What marks a pattern.
const SPECIAL: [char; 4] = ['*', '?', '[', '{'];

/// Members that are asked for; all if nothing is.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'t> {
    asked: Vec<Asked<'t>>,
}

/// One thing that is asked for.
#[derive(Clone, Debug)]
struct Asked<'t> {
    text: &'t str,
    kind: Kind,
    /// Whether there was such a member.
    met: bool,
    /// Whether there was one below a directory of this name.
    below: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The member of this name.
    Name,
    /// All that is below this directory, which is written with a slash at the end.
    Directory,
    /// What a pattern fits: `*` and `?` within a name, `**` across directories, `[a-z]`, `{a,b}`.
    Pattern,
    /// What looks like a pattern and is none: a member may be called so.
    NoPattern,
}

impl<'t> Wanted<'t> {
    pub(super) fn new(texts: &'t [String]) -> Self {
        let asked = texts.iter().map(|text| {
            let kind = match text {
                _ if text.contains(SPECIAL) && validate(text).is_ok() => Kind::Pattern,
                _ if text.contains(SPECIAL) => Kind::NoPattern,
                _ if text.ends_with('/') => Kind::Directory,
                _ => Kind::Name,
            };
            Asked { text, kind, met: false, below: false }
        });
        Self { asked: asked.collect() }
    }

    /// Whether nothing was said, so that all members are wanted.
    pub(super) fn is_all(&self) -> bool {
        self.asked.is_empty()
    }

    /// The names, if nothing but names is asked for.
    pub(super) fn names(&self) -> Option<BTreeSet<&'t str>> {
        let only = self.asked.iter().all(|asked| matches!(asked.kind, Kind::Name | Kind::NoPattern));
        only.then(|| self.asked.iter().map(|asked| asked.text).collect())
    }

    /// Whether a member is wanted.
    pub(super) fn takes(&mut self, name: &str) -> bool {
        let mut takes = self.is_all();
        for asked in &mut self.asked {
            if asked.fits(name) {
                (asked.met, takes) = (true, true);
            } else {
                asked.below |= name.strip_prefix(asked.text).is_some_and(|rest| rest.starts_with('/'));
            }
        }
        takes
    }

    /// # Errors
    /// [`Code::MemberUnknown`] for what no member was.
    pub(super) fn check_met(&self) -> Result<()> {
        let Some(asked) = self.asked.iter().find(|asked| !asked.met) else { return Ok(()) };
        let problem = Problem::new(Code::MemberUnknown).member(asked.text);
        Err(match asked.kind {
            Kind::Name if asked.below => {
                problem.because(format!("it is a directory: {}/ stands for all that is below it", asked.text))
            }
            Kind::Name => problem,
            Kind::NoPattern => problem.because("and it is not a pattern: a bracket or brace is not closed"),
            Kind::Directory => problem.headline("no member is below this directory"),
            Kind::Pattern => problem.headline("no member fits this pattern"),
        })
    }
}

impl Asked<'_> {
    fn fits(&self, name: &str) -> bool {
        match self.kind {
            Kind::Name | Kind::NoPattern => name == self.text,
            Kind::Directory => name.len() > self.text.len() && name.starts_with(self.text),
            // A name may look like a pattern; and what begins with an exclamation mark is no negation.
            Kind::Pattern if self.text.starts_with('!') => {
                name == self.text || glob_match(format!("\\{}", self.text), name)
            }
            Kind::Pattern => name == self.text || glob_match(self.text, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(text: &str, name: &str) -> bool {
        Wanted::new(&[text.to_owned()]).takes(name)
    }

    /// What gitignore(5) and glob(7) say of these.
    #[test]
    fn patterns_are_those_of_the_shell() {
        for (text, yes, no) in [
            (
                "context/",
                &["context/index/data", "context/a"][..],
                &["context", "contexts/a", "a/context/b"][..],
            ),
            ("context", &["context"], &["context/a"]),
            ("*", &["metadata"], &["context/a"]),
            ("**", &["metadata", "context/a", "a/b/c"], &[]),
            ("wasm_2_0_0/*", &["wasm_2_0_0/00ab"], &["wasm_2_0_0/a/b", "wasm_2_0_0", "context/a"]),
            ("context/**", &["context/a", "context/a/b"], &["metadata"]),
            ("**/data", &["data", "context/index/data"], &["context/data/a"]),
            ("context/store.?.suffix", &["context/store.0.suffix"], &["context/store.10.suffix"]),
            ("store.sqlite{,-wal}", &["store.sqlite", "store.sqlite-wal"], &["store.sqlite-shm"]),
            ("[a-m]*", &["metadata", "lock"], &["store.sqlite"]),
            ("a[1]", &["a1", "a[1]"], &["a"]),
            ("!a*", &["!ab"], &["ab", "b"]),
        ] {
            assert!(yes.iter().all(|name| fits(text, name)), "{text}");
            assert!(!no.iter().any(|name| fits(text, name)), "{text}");
        }
        for text in ["a{b", "a[b", "[", "a{b,c"] {
            assert!(fits(text, text) && !fits(text, "ab"), "{text}");
            let asked = [text.to_owned()];
            let problem = Wanted::new(&asked).check_met().unwrap_err();
            assert_eq!(problem.code(), Code::MemberUnknown, "{text}");
            assert!(problem.cause().is_some_and(|cause| cause.contains("not a pattern")), "{problem}");
        }
    }

    /// A pattern and a name that make a simple matcher try everything.
    #[test]
    fn no_pattern_takes_long() {
        let (text, name) = (format!("{}b", "*a".repeat(50)), "a".repeat(4096));
        assert!(!fits(&text, &name));
        assert!(!fits(&format!("**/{text}"), &"a/".repeat(2000)));
    }
}
