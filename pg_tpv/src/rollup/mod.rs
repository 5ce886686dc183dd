//! The change log, and roll-ups that follow what documents and the catalog say.
//!
//! | file | does |
//! | --- | --- |
//! | `worker` | the background worker |
//! | `round` | numbers what has changed, and notes which buckets that concerns |
//! | `guess` | notes which buckets a change of the catalog concerns |
//! | `due` | sums up buckets that are due, and says how far sums are complete |
//! | `bucket` | what is summed up together |
//! | `summing` | reads a bucket and sums it up |
//! | `catalog` | what the codes of a bucket mean |
//! | `tables` | writes sums into their tables |
//!
//! A bucket is a business day of a department of a store. What was noted and not yet done survives a crash:
//! `sync.touched` and `rollup.due` are ordinary tables, and summing up twice gives the same.

mod bucket;
mod catalog;
mod due;
mod guess;
mod round;
mod summing;
mod tables;
pub mod worker;
