//! The gateways of nodes, people who log in there, and just enough HTTP to be one of them.

mod client;
mod doors;
mod people;
mod process;
mod staff;

pub use client::{Answer, Client};
pub use doors::{Doors, Member, free_port, open};
pub use people::{PASSWORD, Person, hire};
pub use process::{Gateway, GatewayOptions};
pub use staff::{Employee, Staff, write_private};
