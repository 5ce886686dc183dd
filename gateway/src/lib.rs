//! The gateway: HTTP on one side, schema `own` of the node's database on the other.
//!
//! A request goes through the modules in the order in which they stand here. Start reading at
//! `routes.rs`, which has every route, and `dispatch.rs`, which has every question that is asked
//! before a handler is. A token is checked in `who.rs`; what somebody may see or do is decided by
//! the database.

// The start and the end.
mod admin_command;
mod admin_port;
mod app;
mod central;
mod cli;
mod config;
mod metrics;
mod run;
mod service;
// The wire.
mod server;
// From a request to its handler.
mod dispatch;
mod http;
mod route;
mod routes;
mod who;
// The handlers.
mod auth;
mod openapi;
mod resource;
// What they use.
mod database;
mod keys;
mod password;
mod recent;
mod token;

pub use run::main;
