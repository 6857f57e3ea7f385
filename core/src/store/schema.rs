//! Which schema a store has (rule E4), and that it has nothing else: what stands in the schema of a database is
//! executed by whoever opens it, so every object must be one that the nodes make.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::objects::{OBJECTS, Object};
use super::shortened;
use crate::code::Code;
use crate::nodes::export;
use crate::problem::{Problem, Result};
use crate::sqlite::{Settings, Value};

/// Which schemas are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// The newest only, as for an export.
    Current,
    /// Older ones as well, as for an import: the node upgrades the store when it starts.
    Older,
}

/// More rows of `sqlite_schema` than this are not read: the nodes make 28.
pub const MAX_OBJECTS: usize = 1000;

/// More recorded migrations than this are not read.
pub const MAX_MIGRATIONS: usize = 1000;

/// Names of the migrations, by their number.
const MIGRATIONS: [&str; 3] = ["initial", "add_state_hash_and_status", "optional_context"];

/// Judges the rows of `sqlite_schema`, one after the other, whoever reads them.
#[derive(Debug, Default)]
pub struct Schema {
    seen: Vec<&'static Object>,
    /// Which object begins on a page.
    roots: BTreeMap<u32, &'static str>,
    foreign: Option<Foreign>,
}

/// What no node makes.
#[derive(Debug)]
struct Foreign {
    what: String,
    why: String,
}

impl Schema {
    /// Takes a row: the columns `type`, `name`, `tbl_name`, `rootpage` and `sql`.
    pub fn row(&mut self, row: [Value<'_>; 5]) {
        if let Err(why) = self.take(row)
            && self.foreign.is_none()
        {
            let [kind, name, ..] = row;
            self.foreign = Some(Foreign { what: format!("{} {}", said(kind), quoted(name)), why });
        }
    }

    /// Whether `migrations` is the table of the nodes, so that it can be read.
    pub fn has_migrations(&self) -> bool {
        self.seen.iter().any(|object| object.kind == "table" && object.name == "migrations")
    }

    /// What no node makes, if anything was met. `path` is the name of the database.
    pub fn foreign(&self, path: &str) -> Option<Problem> {
        self.foreign.as_ref().map(|foreign| foreign.problem(path))
    }

    /// Judges the whole: the recorded migrations, number and name by number, then that all of the nodes' tables and
    /// indexes are there, and nothing else. `migrations`: none where there is no such table. `pages`: how many
    /// the database has. Gives how many migrations there are.
    ///
    /// # Errors
    /// [`Code::StoreMigrations`] with the texts of the nodes, [`Code::StoreSchema`], [`Code::StoreDamaged`].
    pub fn finish(
        self,
        migrations: Option<&[(i64, String)]>,
        accept: Accept,
        pages: u32,
        path: &str,
    ) -> Result<usize> {
        // Another table of this name is not read, and says nothing. A newer store has what is not known here.
        let foreign = self.foreign(path);
        let count = match (migrations, foreign) {
            (None, Some(foreign)) => return Err(foreign),
            (_, foreign) => {
                let count = check_migrations(migrations, accept, path)?;
                foreign.map_or(Ok(count), Err)?
            }
        };
        if let Some((root, name)) = self.roots.last_key_value().filter(|(root, _)| **root > pages) {
            return Err(Problem::damaged_store(path, &format!("{name} begins on page {root} of {pages}")));
        }
        for wanted in OBJECTS.iter().filter(|object| object.migrations.contains(&count)) {
            if self.seen.contains(&wanted) {
                continue;
            }
            if self.seen.iter().any(|seen| (seen.kind, seen.name) == (wanted.kind, wanted.name)) {
                let what = format!("{} {:?}", wanted.kind, wanted.name);
                let why = format!("it is not as {count} migrations leave it");
                return Err(Foreign { what, why }.problem(path));
            }
            return Err(Problem::damaged_store(
                path,
                &format!("there is no {} {}", wanted.kind, wanted.name),
            ));
        }
        Ok(count)
    }

    fn take(&mut self, [kind, name, table, root, sql]: [Value<'_>; 5]) -> Result<(), String> {
        let named = |object: &&Object| (Value::Text(object.kind), Value::Text(object.name)) == (kind, name);
        let known: Vec<_> = OBJECTS.iter().filter(named).collect();
        let [first, ..] = known.as_slice() else {
            let of = if table == name { String::new() } else { format!(" of {}", quoted(table)) };
            return Err(format!("no node makes this object{of}"));
        };
        let same = |object: &&&Object| {
            table == Value::Text(object.table) && sql == object.sql.map_or(Value::Null, Value::Text)
        };
        let Some(object) = known.iter().find(same) else {
            return Err(format!("the nodes make another {} of this name", first.kind));
        };
        if self.seen.iter().any(|seen| (seen.kind, seen.name) == (object.kind, object.name)) {
            return Err("it stands in the schema twice".into());
        }
        let root = match root {
            Value::Integer(root) => u32::try_from(root).ok().filter(|root| *root > 1),
            _ => None,
        };
        let root = root.ok_or("it does not begin on a page of its own")?;
        if let Some(other) = self.roots.insert(root, object.name) {
            return Err(format!("it begins on page {root}, as {other:?} does"));
        }
        self.seen.push(object);
        Ok(())
    }
}

/// Judges what the header of the database says of itself, before anything else is read: another encoding would make
/// other texts of the same bytes. `path` is the name of the database, for messages.
///
/// # Errors
/// [`Code::StoreSchema`].
pub fn check_settings(found: &Settings, path: &str) -> Result<()> {
    let named = |of: &Settings| {
        let Settings { page_size, encoding, auto_vacuum, user_version, application_id } = *of;
        [page_size, encoding, auto_vacuum, user_version, application_id]
    };
    let names = ["page_size", "encoding", "auto_vacuum", "user_version", "application_id"];
    let pairs = named(found).into_iter().zip(named(&SETTINGS));
    match names.iter().zip(pairs).find(|(_, (found, wanted))| found != wanted) {
        None => Ok(()),
        Some((name, (found, wanted))) => {
            let (what, why) = (format!("{name} = {found}"), format!("the nodes have {wanted} there"));
            Err(Foreign { what, why }.problem(path))
        }
    }
}

/// What the header of a node's database says: what SQLite chooses by itself.
const SETTINGS: Settings =
    Settings { page_size: 4096, encoding: 1, auto_vacuum: 0, user_version: 0, application_id: 0 };

impl Foreign {
    fn problem(&self, path: &str) -> Problem {
        Problem::new(Code::StoreSchema).path(path).found(&self.what).because(&self.why)
    }
}

/// A kind of objects, if it is one.
fn said(kind: Value<'_>) -> String {
    match kind {
        Value::Text(kind @ ("table" | "index" | "view" | "trigger")) => kind.to_string(),
        other => format!("an object of kind {}", quoted(other)),
    }
}

/// A name as it can be shown.
fn quoted(name: Value<'_>) -> String {
    match name {
        Value::Text(name) => format!("{:?}", shortened(name)),
        other => format!("that is {}", other.kind()),
    }
}

fn check_migrations(applied: Option<&[(i64, String)]>, accept: Accept, path: &str) -> Result<usize> {
    let known = MIGRATIONS.len();
    let missing = |count: usize| export::missing_migrations(count).path(path);
    let Some(applied) = applied else {
        return Err(missing(known).because("it has no table of migrations"));
    };
    for (expected, (id, _)) in (0i64..).zip(applied) {
        if *id != expected {
            let what = format!("migration {expected} is missing, migration {id} is recorded");
            return Err(Problem::damaged_store(path, &what));
        }
    }
    let count = applied.len();
    if count > known {
        return Err(export::unknown_migrations(count, known).path(path));
    }
    if let Some(((_, name), expected)) =
        applied.iter().zip(MIGRATIONS).find(|((_, name), expected)| name != expected)
    {
        return Err(Problem::new(Code::StoreMigrations)
            .headline("the store has a migration that no rollup node knows")
            .path(path)
            .expected(format_args!("{expected:?}"))
            .found(format_args!("{:?}", shortened(name))));
    }
    if count == 0 || (count < known && accept == Accept::Current) {
        return Err(missing(known - count));
    }
    Ok(count)
}
