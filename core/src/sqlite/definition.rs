//! What `CREATE TABLE` and `CREATE INDEX` say that a reader must know ("Storage Of The SQL Database
//! Schema"): the columns in their order, which one is the rowid, what each index is sorted by.
//!
//! The text was checked by SQLite when it was written and is read tolerantly; what changes the
//! meaning of the stored bytes and is not supported is refused by name.

use alloc::string::String;
use alloc::vec::Vec;

use super::column::Column;
use super::token::{Token, Tokens, Unsupported, nested};

/// A table.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) columns: Vec<Column>,
    /// The column that is another name of the rowid.
    pub(super) rowid: Option<usize>,
    /// What `sqlite_autoindex_TABLE_n` is sorted by, at n-1.
    pub(super) automatic: Vec<Vec<Key>>,
}

/// One of the columns that an index is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The column of the table; `None` for an expression.
    pub(super) column: Option<usize>,
    /// How texts are sorted, when not by their bytes.
    pub(super) collation: Option<String>,
    pub(super) descending: bool,
}

impl Definition {
    /// Reads a `CREATE TABLE` statement.
    pub(super) fn parse(sql: &str) -> Result<Self, Unsupported> {
        let (items, tail) = parts(Tokens::new(sql))?;
        if tail.windows(2).any(|pair| matches!(pair, [a, b] if a.is("WITHOUT") && b.is("ROWID"))) {
            return Err("a table WITHOUT ROWID");
        }
        let mut table = Self::default();
        for item in items.iter().filter(|item| is_column(item)) {
            table.columns.push(Column::parse(item)?);
        }
        let mut next = 0..table.columns.len();
        for item in &items {
            let column = if is_column(item) { next.next() } else { None };
            table.find_keys(item, column)?;
        }
        Ok(table)
    }

    /// What the index of a `CREATE INDEX` statement on this table is sorted by, and whether some
    /// rows are not in it.
    pub(super) fn index(&self, sql: &str) -> Result<(Vec<Key>, bool), Unsupported> {
        let (parts, tail) = parts(Tokens::new(sql))?;
        let partial = tail.iter().any(|token| token.is("WHERE"));
        Ok((parts.iter().map(|part| self.key(part)).collect(), partial))
    }

    /// The position of a column; case does not matter.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Adds the `PRIMARY KEY` and `UNIQUE` of an item, which is this column or stands by itself.
    fn find_keys(&mut self, item: &[Token], column: Option<usize>) -> Result<(), Unsupported> {
        let mut depth = 0_usize;
        for (at, token) in item.iter().enumerate() {
            depth = nested(depth, token);
            let primary = token.is("PRIMARY");
            if depth > 0 || !(primary || token.is("UNIQUE")) {
                continue;
            }
            let rest = item.get(at + if primary { 2 } else { 1 }..).unwrap_or_default();
            if rest.first() == Some(&Token::Sign('(')) {
                let keys: Vec<_> = parts(rest.iter().cloned())?.0.iter().map(|part| self.key(part)).collect();
                let only = if let [key] = keys.as_slice() { key.column } else { None };
                self.add_key(keys, only.filter(|_| primary));
            } else if let Some(column) = column {
                let descending = rest.first().is_some_and(|next| next.is("DESC"));
                let key = Key { descending, ..self.plain(column) };
                self.add_key([key].into(), Some(column).filter(|_| primary && !descending));
            }
        }
        Ok(())
    }

    /// Adds a key; as `primary` of one column it is the rowid if that is an `INTEGER`.
    fn add_key(&mut self, keys: Vec<Key>, primary: Option<usize>) {
        if primary.and_then(|at| self.columns.get(at)).is_some_and(Column::is_integer) {
            self.rowid = primary;
            return;
        }
        // Two constraints that ask for the same share one index.
        let same = |(a, b): (&Key, &Key)| a.column == b.column && a.collation == b.collation;
        let known = |other: &Vec<Key>| other.len() == keys.len() && other.iter().zip(&keys).all(same);
        if !self.automatic.iter().any(known) {
            self.automatic.push(keys);
        }
    }

    /// A part of what an index is sorted by: `column [COLLATE name] [ASC|DESC]`, or an expression.
    fn key(&self, part: &[Token]) -> Key {
        let column = part.first().and_then(Token::name).and_then(|name| self.position(name));
        let Some(mut key) = column.map(|column| self.plain(column)) else { return Key::EXPRESSION };
        let mut rest = part.get(1..).unwrap_or_default();
        if let [word, name, after @ ..] = rest
            && word.is("COLLATE")
        {
            key.collation = super::column::collation(name);
            rest = after;
        }
        match rest {
            [] => key,
            [word] if word.is("ASC") => key,
            [word] if word.is("DESC") => Key { descending: true, ..key },
            _ => Key::EXPRESSION,
        }
    }

    fn plain(&self, column: usize) -> Key {
        let collation = self.columns.get(column).and_then(|column| column.collation.clone());
        Key { column: Some(column), collation, descending: false }
    }
}

impl Key {
    const EXPRESSION: Self = Self { column: None, collation: None, descending: false };
}

/// Constraints of a table follow its columns and start with one of these words, which no column
/// may be called without quotes.
fn is_column(item: &[Token]) -> bool {
    let constraints = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    !item.first().is_some_and(|first| constraints.iter().any(|word| first.is(word)))
}

/// Cuts what stands in the first parentheses at its commas; also gives what follows them.
fn parts(mut tokens: impl Iterator<Item = Token>) -> Result<(Vec<Vec<Token>>, Vec<Token>), Unsupported> {
    tokens.find(|token| *token == Token::Sign('(')).ok_or("a statement without a list of columns")?;
    let mut parts = Vec::from([Vec::new()]);
    let mut depth = 1_usize;
    for token in tokens.by_ref() {
        depth = nested(depth, &token);
        match parts.last_mut() {
            _ if depth == 0 => break,
            _ if depth == 1 && token == Token::Sign(',') => parts.push(Vec::new()),
            Some(part) => part.push(token),
            None => {}
        }
    }
    if depth > 0 {
        return Err("a statement that ends inside its list of columns");
    }
    Ok((parts, tokens.collect()))
}
