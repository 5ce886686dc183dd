//! What one build of tpv brings to a database.

use anyhow::Context;
use refinery::{Migration, Runner};

/// The files of `sql/` with what they include, as the build script put them together.
const MIGRATIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The version of the extension, and the migrations that were written for it.
#[derive(Clone, Debug)]
pub struct Release {
    /// As in `pg_extension.extversion`.
    pub extension: String,
    /// In order of version.
    pub migrations: Vec<Migration>,
}

impl Release {
    /// That of this build.
    ///
    /// # Errors
    /// A file whose name refinery does not take.
    pub fn this() -> anyhow::Result<Self> {
        let migration = |(name, sql): &(&str, &str)| Migration::unapplied(name, sql);
        let migrations =
            MIGRATIONS.iter().map(migration).collect::<Result<_, _>>().context("a migration has no right name")?;
        Ok(Self { extension: env!("CARGO_PKG_VERSION").to_owned(), migrations })
    }

    pub(crate) fn runner(&self) -> Runner {
        Runner::new(&self.migrations)
    }
}
