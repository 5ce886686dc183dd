//! What each role may not do, tried over connections as that role, on the nodes of a chain.
//!
//! `tests/sql` holds the lists of what each may; here is who gets in, and what happens to them
//! there.

mod attempts;
mod logins;
mod peers;
mod people;
