//! What a server's processes cost.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::process::Process;

/// Time on a processor since some moment.
pub struct Meter<'c> {
    cluster: &'c Cluster,
    began: Instant,
    before: Vec<(Process, Duration)>,
}

impl<'c> Meter<'c> {
    /// Begins now.
    pub fn start(cluster: &'c Cluster) -> Self {
        let before = cluster.processes().into_iter().map(|process| (process, process.busy())).collect();
        Self { cluster, began: Instant::now(), before }
    }

    /// How long the server's processes were on a processor since, and how long ago that is. Those that ended meanwhile
    /// take their time with them.
    pub fn read(&self) -> (Duration, Duration) {
        let before = |process: Process| self.before.iter().find(|(known, _)| *known == process).map(|(_, busy)| *busy);
        let since = |process: Process| process.busy().saturating_sub(before(process).unwrap_or_default());
        (self.cluster.processes().into_iter().map(since).sum(), self.began.elapsed())
    }
}

/// Memory in kB: proportional set size, so that what is shared counts once.
#[derive(Default)]
pub struct Memory {
    /// Of all.
    pub all: u64,
    /// Of those that send to a peer.
    pub walsenders: u64,
    /// Of those that apply what a peer sends.
    pub appliers: u64,
}

/// Adds it up.
pub fn memory(processes: &[Process]) -> Memory {
    let mut memory = Memory::default();
    for process in processes {
        let (kb, title) = (process.proportional_kb(), process.title());
        memory.all += kb;
        if title.contains("walsender") {
            memory.walsenders += kb;
        } else if title.contains("logical replication worker") {
            memory.appliers += kb;
        }
    }
    memory
}
