//! From a terminal's folder to a file that is ready.
//!
//! | file | does |
//! | --- | --- |
//! | `supervise` | knows which inboxes there are, and starts the work of each terminal |
//! | `bell` | rings when something happens in a folder |
//! | `scan` | lists what is in an inbox, oldest first |
//! | `pass` | looks at the next files of such a list |
//! | `candidate` | looks at one file, and decides: ready, wait or refuse |
//! | `complete` | is the JSON complete? |
//! | `lease` | does anybody have the file open for writing? |
//! | `notes` | remembers the files that were not ready, and when to look at them again |

pub mod bell;
pub mod candidate;
mod complete;
mod lease;
pub mod notes;
pub mod pass;
pub mod scan;
pub mod supervise;
