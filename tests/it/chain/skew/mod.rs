//! Nodes of different versions in one chain: what a node does not know waits, everything else
//! flows, and after the upgrade all nodes are alike.
//!
//! A node is made newer by what the next version's migration would do there. For what only its
//! library would know, triggers that run after a row is received write what that library would
//! write.

mod columns;
mod newer;
mod rules;
mod tables;
mod wire;
