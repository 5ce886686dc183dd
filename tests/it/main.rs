//! Behaviour across processes: a real server, the real watcher, terminals that drop files.

#![allow(clippy::unwrap_used, reason = "a test program; clippy sees only functions marked as tests as such")]

mod chain;
mod demo;
mod examples;
mod gateway;
mod store;
mod support;
