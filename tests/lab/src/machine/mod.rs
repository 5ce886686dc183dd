//! The machine: where files lie, who runs the servers, and processes that never outlive their
//! program.

mod authority;
pub(crate) mod guard;
mod lab;
mod osuser;
mod process;
mod program;

pub use authority::Authority;
pub use lab::Lab;
pub(crate) use lab::{hash_of, open_folder};
pub use process::Process;
pub(crate) use program::log_tail;
pub use program::run;
