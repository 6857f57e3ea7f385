//! Cuts the text of a statement into words.

use alloc::string::String;
use core::iter::Peekable;
use core::str::Chars;

/// What cannot be used, in words.
pub(super) type Unsupported = &'static str;

/// A word of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, a name or a number, as written.
    Word(String),
    /// A name in double quotes, backquotes or brackets, without them.
    Quoted(String),
    /// A text in single quotes, without them.
    Text(String),
    /// Any other character.
    Sign(char),
}

impl Token {
    /// This keyword, in whatever case?
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// What it is called, when it may be a name.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) | Self::Text(name) => Some(name),
            Self::Sign(_) => None,
        }
    }
}

/// The words of a statement; blanks and comments are skipped.
pub(super) struct Tokens<'a>(Peekable<Chars<'a>>);

impl<'a> Tokens<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self(sql.chars().peekable())
    }

    fn take_while(&mut self, mut accept: impl FnMut(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(next) = self.0.next_if(|next| accept(*next)) {
            text.push(next);
        }
        text
    }

    /// Up to the closing quote; a doubled one stands for itself.
    fn quoted(&mut self, close: char) -> String {
        let mut text = String::new();
        while let Some(next) = self.0.next() {
            if next == close && (close == ']' || self.0.next_if_eq(&close).is_none()) {
                break;
            }
            text.push(next);
        }
        text
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let next = self.0.next()?;
            return Some(match next {
                _ if next.is_ascii_whitespace() => continue,
                '-' if self.0.next_if_eq(&'-').is_some() => {
                    self.take_while(|next| next != '\n');
                    continue;
                }
                '/' if self.0.next_if_eq(&'*').is_some() => {
                    let mut last = ' ';
                    for next in self.0.by_ref() {
                        if last == '*' && next == '/' {
                            break;
                        }
                        last = next;
                    }
                    continue;
                }
                '"' | '`' => Token::Quoted(self.quoted(next)),
                '[' => Token::Quoted(self.quoted(']')),
                '\'' => Token::Text(self.quoted(next)),
                _ if is_word(next) => {
                    let rest = self.take_while(|next| is_word(next) || next == '.');
                    let mut word = String::from(next);
                    word.push_str(&rest);
                    Token::Word(word)
                }
                _ => Token::Sign(next),
            });
        }
    }
}

fn is_word(next: char) -> bool {
    next.is_ascii_alphanumeric() || next == '_' || next == '$' || !next.is_ascii()
}

/// How many parentheses are open behind this token.
pub(super) fn nested(depth: usize, token: &Token) -> usize {
    match token {
        Token::Sign('(') => depth + 1,
        Token::Sign(')') => depth.saturating_sub(1),
        _ => depth,
    }
}
