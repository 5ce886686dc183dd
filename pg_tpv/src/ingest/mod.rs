//! Files of one terminal become receipts, or the reason why not; and what operators decide about
//! receipts afterwards.
//!
//! | file | does |
//! | --- | --- |
//! | `ingest_files` | the call: judges all files, then stores them together, or one by one when one of them breaks |
//! | `terminal` | what holds at the terminal, read in one statement |
//! | `sort` | what is known about each receipt, and what is decided |
//! | `write` | the rows of what was decided |
//! | `hash_chain` | the one statement that writes documents |
//! | `dat_file` | `.dat` files as rows |
//! | `answer` | what the caller is told |
//! | `operator` | a release, a void, a withdrawal, a closed day |

mod answer;
mod dat_file;
mod file;
mod hash_chain;
mod ingest_files;
mod operator;
mod sort;
mod terminal;
mod write;
