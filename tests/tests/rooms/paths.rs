//! What the rooms of a crate use, read from the paths in its sources.
//!
//! The sources are split into tokens, so that comments and strings are out of the way and what stands in the
//! arguments of a macro is seen. `crate::…` and `super::…` that leads out of a room are followed wherever they
//! stand, in a tree of `use` to each of its leaves. A name that the top of the crate passes on
//! (`pub use problem::Problem`) counts as the room it comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fmt, fs};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A place in one room that names another.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A text in quotes.
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// The sources of one crate.
#[derive(Default)]
pub(crate) struct Sources {
    /// The modules at the top, by name.
    pub(crate) rooms: BTreeSet<String>,
    /// Every place where one room names another.
    pub(crate) uses: Vec<Use>,
    /// Every place where a room names something that the top of the crate defines itself.
    pub(crate) unresolved: Vec<Use>,
    /// Every line of every file, behind where it is.
    pub(crate) lines: Vec<String>,
    /// Every text in quotes, as it is written, and where.
    pub(crate) texts: Vec<Text>,
    /// What the top passes on, and the room it comes from.
    passed_on: BTreeMap<String, String>,
}

impl Sources {
    /// Reads all files below a directory.
    pub(crate) fn read(dir: &Path, shown: &str) -> Self {
        let mut files = Vec::new();
        collect(dir, "", &mut files);
        files.sort();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        Self::of(shown, &files)
    }

    /// Reads files that are given as names below the top and texts.
    pub(crate) fn of(shown: &str, files: &[(&str, &str)]) -> Self {
        let mut sources = Self::default();
        let parse = |name: &str, text: &str| -> Vec<TokenTree> {
            let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{shown}/{name}: {error}"));
            tokens.into_iter().collect()
        };
        let (_, lib) = files.iter().find(|(name, _)| *name == "lib.rs").expect("lib.rs");
        sources.read_top(&parse("lib.rs", lib));
        for (name, text) in files {
            let module = module(name);
            if module.is_empty() || module.iter().any(|part| part == "tests") {
                continue;
            }
            let file = format!("{shown}/{name}");
            sources.lines.extend(text.lines().zip(1..).map(|(line, at)| format!("{file}:{at}: {line}")));
            sources.walk(&parse(name, text), &module, &file);
        }
        sources
    }

    /// The rooms, and what is passed on from them.
    fn read_top(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            if is_for_tests(&tokens[at..]) {
                at = end_of_item(tokens, at);
            } else if is_word(tokens.get(at), "mod") {
                self.rooms.extend(tokens.get(at + 1).map(ToString::to_string));
                at += 2;
            } else if is_word(tokens.get(at), "use") {
                let mut leaves = Vec::new();
                at = tree(tokens, at + 1, &[], &mut leaves);
                for Leaf { path, name, .. } in leaves {
                    self.passed_on.insert(name, path[0].clone());
                }
            } else {
                at += 1;
            }
        }
        self.passed_on.retain(|_, room| self.rooms.contains(room));
    }

    /// Collects what stands in a module, and in the modules inside.
    fn walk(&mut self, tokens: &[TokenTree], module: &[String], file: &str) {
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            if is_for_tests(rest) {
                at = end_of_item(tokens, at);
            } else if let [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..] = rest
                && word == "mod"
            {
                let inner = [module, &[name.to_string()]].concat();
                self.walk(&body.stream().into_iter().collect::<Vec<_>>(), &inner, file);
                at += 3;
            } else if is_word(rest.first(), "use") || begins_path(tokens, at) {
                let mut leaves = Vec::new();
                at = tree(tokens, at + usize::from(is_word(rest.first(), "use")), &[], &mut leaves);
                for leaf in leaves {
                    self.add(leaf, module, file);
                }
            } else {
                match &tokens[at] {
                    TokenTree::Group(group) => {
                        self.walk(&group.stream().into_iter().collect::<Vec<_>>(), module, file);
                    }
                    TokenTree::Literal(literal) => {
                        let (text, line) = (literal.to_string(), literal.span().start().line);
                        self.texts.push(Text { text, file: file.to_owned(), line });
                    }
                    _ => {}
                }
                at += 1;
            }
        }
    }

    /// Notes a path, if it leads out of its room.
    fn add(&mut self, leaf: Leaf, module: &[String], file: &str) {
        let mut base = module.to_vec();
        let mut path = leaf.path.as_slice();
        match path.first().map(String::as_str) {
            Some("crate") => {
                base.clear();
                path = &path[1..];
            }
            Some("super") => {
                while let Some((first, rest)) = path.split_first()
                    && first == "super"
                {
                    base.pop();
                    path = rest;
                }
            }
            // A module or an item of this module, or another crate.
            _ => return,
        }
        let Some(first) = base.first().or_else(|| path.first()) else { return };
        let from = module[0].clone();
        let room = if self.rooms.contains(first) { Some(first) } else { self.passed_on.get(first) };
        let to = room.unwrap_or(first).clone();
        if to == from {
            return;
        }
        let known = room.is_some();
        let used = Use { from, to, file: file.to_owned(), line: leaf.line };
        if known { self.uses.push(used) } else { self.unresolved.push(used) }
    }
}

/// A path at the end of a tree, and the name it gets.
struct Leaf {
    path: Vec<String>,
    name: String,
    line: usize,
}

/// Reads a path, or a tree of paths, that begins at `at`; gives where it ends.
fn tree(tokens: &[TokenTree], mut at: usize, before: &[String], leaves: &mut Vec<Leaf>) -> usize {
    let mut path = before.to_vec();
    let mut line = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(word)) => {
                line = word.span().start().line;
                path.push(word.to_string());
                at += 1;
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                line = star.span().start().line;
                path.push("*".to_owned());
                at += 1;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut next = 0;
                while next < inner.len() {
                    // Past the comma, too.
                    next = tree(&inner, next, &path, leaves) + 1;
                }
                return at + 1;
            }
            // `<` of `crate::f::<T>()`, or the end of the file.
            _ => break,
        }
        if is_colons(tokens, at) {
            at += 2;
        } else {
            break;
        }
    }
    if path.is_empty() {
        return at + 1;
    }
    // `{self}` stands for what it is in.
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let mut name = path.last().cloned().unwrap_or_default();
    if is_word(tokens.get(at), "as") {
        name = tokens.get(at + 1).map(ToString::to_string).unwrap_or_default();
        at += 2;
    }
    leaves.push(Leaf { path, name, line });
    at
}

/// Whether a path that can lead out of a room begins here.
fn begins_path(tokens: &[TokenTree], at: usize) -> bool {
    let begins = is_word(tokens.get(at), "crate") || is_word(tokens.get(at), "super");
    // Not in the middle of a path.
    begins && is_colons(tokens, at + 1) && !(at >= 2 && is_colons(tokens, at - 2))
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// Whether an attribute `cfg(test)`, or `cfg(all(test, …))`, begins here.
fn is_for_tests(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = tokens else { return false };
    if hash.as_char() != '#' {
        return false;
    }
    let inside: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let [TokenTree::Ident(cfg), TokenTree::Group(condition)] = &inside[..] else { return false };
    let condition: Vec<TokenTree> = condition.stream().into_iter().collect();
    cfg == "cfg"
        && match &condition[..] {
            [TokenTree::Ident(test)] => test == "test",
            [TokenTree::Ident(all), TokenTree::Group(list)] if all == "all" => {
                list.stream().into_iter().any(|token| is_word(Some(&token), "test"))
            }
            _ => false,
        }
}

/// Where an item ends that begins with an attribute at `at`: behind its body, or its semicolon.
fn end_of_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            _ => {}
        }
    }
    at
}

/// The module of a file: nothing for the top of the crate.
fn module(name: &str) -> Vec<String> {
    let path = name.strip_suffix(".rs").unwrap_or(name);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" || path == "main" {
        return Vec::new();
    }
    path.split('/').map(String::from).collect()
}

fn collect(dir: &Path, before: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{before}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}
