//! The laboratory: real PostgreSQL clusters, the real watcher, terminals that drop files.
//!
//! `machine` says where files lie, `cluster` runs servers, `store` has a spool, terminals and the
//! watcher, `gateway` runs that of a node, `chain` joins stores to central. The demo, the benches,
//! the nemesis and the tests are made of these.

pub mod alarms;
pub mod bench;
pub mod chain;
pub mod cluster;
pub mod demo;
pub mod dice;
pub mod gateway;
pub mod life;
pub mod machine;
pub mod measure;
pub mod nemesis;
pub mod node;
pub mod openapi;
pub mod store;
pub mod up;
pub mod wait;
