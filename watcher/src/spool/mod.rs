//! The spool on disk, and every way in which a file moves in it.
//!
//! | file | does |
//! | --- | --- |
//! | `folders` | knows which folder is for what, and checks that renames between them are atomic |
//! | `lock` | lets one watcher alone work on the spool |
//! | `fingerprint` | tells one state of a file from another without reading it |
//! | `fsync` | writes files that survive a power cut, and counts the fsyncs that fail |
//! | `rename` | moves a file and never replaces another: all of the following do it this way |
//! | `stage` | keeps a `.dat` in `stage/` until its transaction is committed |
//! | `publish` | makes it visible: `stage/` → `out/` |
//! | `archive` | moves what is done: `in/` → `archive/`, and withdrawn `.dat` files |
//! | `quarantine` | moves what is no receipt: `in/` → `quarantine/`, with a reason beside it |

pub mod archive;
pub mod fingerprint;
pub mod folders;
pub mod fsync;
pub mod lock;
pub mod publish;
pub mod quarantine;
pub mod rename;
pub mod stage;
