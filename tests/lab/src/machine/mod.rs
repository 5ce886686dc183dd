//! The machine: where everything is, who runs the servers, and processes that never outlive their program.

pub mod guard;
pub mod lab;
pub mod osuser;
pub mod process;
