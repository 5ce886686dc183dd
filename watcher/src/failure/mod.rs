//! What can go wrong for more than one file, and when to try again.
//!
//! | file | does |
//! | --- | --- |
//! | `fault` | sorts faults by who must be told: the database, the disk, one inbox, everybody |
//! | `breaker` | decides who may try again what failed, and how long to back off |
//! | `gate` | is a breaker that tasks can wait at, with its probe |

pub mod breaker;
pub mod fault;
pub mod gate;
