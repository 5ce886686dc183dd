//! The harness: real PostgreSQL clusters, the real watcher, terminals that drop files.
//!
//! `lab` says where things are, `cluster` and `watcher` run them, `spool` and `receipts` play the terminals, `account`
//! says afterwards whether anything was lost. The demo, the benches and the tests are all made of these.

pub mod account;
pub mod bench;
pub mod chain;
pub mod cluster;
pub mod demo;
pub mod dice;
pub mod display;
pub mod guard;
pub mod http;
pub mod lab;
pub mod latency;
pub mod nemesis;
pub mod osuser;
pub mod pgtree;
pub mod process;
pub mod proxy;
pub mod receipts;
pub mod rig;
pub mod samples;
pub mod spool;
pub mod stop;
pub mod store;
pub mod template;
pub mod terminals;
pub mod until;
pub mod up;
pub mod watchdog;
pub mod watcher;
pub mod witness;
