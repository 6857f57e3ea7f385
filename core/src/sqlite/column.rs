//! One column of a `CREATE TABLE` statement: its name, what its type does to values ("Determination
//! Of Column Affinity" in "Datatypes In SQLite"), and what short rows have in its place.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::record::Value;
use super::token::{Token, Unsupported, nested};

/// A column of a table.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// How its texts are sorted, when not by their bytes.
    pub(super) collation: Option<String>,
    /// As declared, in capitals, words joined by a blank.
    kind: String,
    default: Default,
}

/// What a row has that was written before the column was added.
#[derive(Debug)]
enum Default {
    Null,
    Integer(i64),
    Text(String),
    /// An expression, or a value that the type of the column would change.
    Unknown,
}

/// What the type of a column makes of values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Affinity {
    /// A number where it looks like one.
    Number,
    Real,
    Text,
    /// Nothing.
    Blob,
}

impl Column {
    /// Reads `name [type] [constraint…]`.
    pub(super) fn parse(item: &[Token]) -> Result<Self, Unsupported> {
        let (first, rest) = item.split_first().ok_or("a column without a name")?;
        let name = first.name().ok_or("a column without a name")?.to_string();
        let ends = |token: &Token| AFTER_TYPE.iter().any(|word| token.is(word));
        let (kind, constraints) = rest.split_at(rest.iter().position(ends).unwrap_or(rest.len()));
        let words: Vec<_> =
            kind.iter().map(|token| token.name().unwrap_or("(").to_ascii_uppercase()).collect();
        let mut column = Self { name, collation: None, kind: words.join(" "), default: Default::Null };
        let mut depth = 0_usize;
        let mut before: Option<&Token> = None;
        for (at, token) in constraints.iter().enumerate() {
            depth = nested(depth, token);
            let after = constraints.get(at + 1..).unwrap_or_default();
            let set_default = before.is_some_and(|before| before.is("SET"));
            if depth > 0 {
            } else if token.is("GENERATED") || token.is("AS") {
                return Err("a generated column");
            } else if token.is("COLLATE") {
                column.collation = after.first().and_then(collation);
            } else if token.is("DEFAULT") && !set_default {
                column.default = Default::parse(after, column.affinity());
            }
            before = Some(token);
        }
        Ok(column)
    }

    /// Declared as `INTEGER`, which as a primary key is the rowid. Other names of integers are not.
    pub(super) fn is_integer(&self) -> bool {
        self.kind == "INTEGER"
    }

    /// What a stored value stands for: a real column stores whole numbers as integers.
    pub(super) fn read<'a>(&self, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Integer(number) if self.affinity() == Affinity::Real => Value::Real(number as f64),
            value => value,
        }
    }

    /// What stands in its place in a row that was written before it; `None` when that is not known.
    pub(super) fn default(&self) -> Option<Value<'_>> {
        match &self.default {
            Default::Null => Some(Value::Null),
            Default::Integer(number) => Some(Value::Integer(*number)),
            Default::Text(text) => Some(Value::Text(text)),
            Default::Unknown => None,
        }
    }

    fn affinity(&self) -> Affinity {
        let has = |words: &[&str]| words.iter().any(|word| self.kind.contains(word));
        if has(&["INT"]) {
            Affinity::Number
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Affinity::Text
        } else if self.kind.is_empty() || has(&["BLOB"]) {
            Affinity::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Affinity::Real
        } else {
            Affinity::Number
        }
    }
}

impl Default {
    fn parse(tokens: &[Token], affinity: Affinity) -> Self {
        let number = |sign: &str, digits: &str| {
            let number = [sign, digits].concat().parse().ok();
            number.filter(|_| matches!(affinity, Affinity::Number | Affinity::Blob)).map(Self::Integer)
        };
        let found = match tokens {
            [word, ..] if word.is("NULL") => Some(Self::Null),
            [word, ..] if word.is("TRUE") => number("", "1"),
            [word, ..] if word.is("FALSE") => number("", "0"),
            [Token::Word(digits), ..] => number("", digits),
            [Token::Sign('-'), Token::Word(digits), ..] => number("-", digits),
            [Token::Text(text), ..] => {
                matches!(affinity, Affinity::Text | Affinity::Blob).then(|| Self::Text(text.clone()))
            }
            _ => None,
        };
        found.unwrap_or(Self::Unknown)
    }
}

/// The collation of this name, unless it is the order of bytes.
pub(super) fn collation(name: &Token) -> Option<String> {
    name.name().filter(|name| !name.eq_ignore_ascii_case("BINARY")).map(ToString::to_string)
}

/// What ends the type of a column.
#[rustfmt::skip]
const AFTER_TYPE: &[&str] = &[
    "CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES",
    "GENERATED", "AS",
];
