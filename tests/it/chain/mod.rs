//! A chain: what is decided at one node, and what the others make of it.

mod beats;
mod catalog;
mod command;
mod conflicts;
mod erasure;
mod exchange;
mod gaps;
mod joining;
mod limits;
mod lives;
mod locks;
mod low_water;
mod nemesis;
mod old_disks;
mod peers;
mod policies;
mod pruning;
mod rebuild;
mod replication;
mod restored;
mod roles;
mod servers;
mod skew;
mod snapshots;
mod together;
mod upgrade;
