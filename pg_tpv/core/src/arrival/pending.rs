//! What arrived and is not written yet, in its order.

/// Beyond this many, what waits is written.
pub const MOST_ITEMS: usize = 256;

/// And beyond this many bytes, so that a transaction of any size needs little memory.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What waits to be written together.
#[derive(Debug)]
pub struct Pending<T> {
    waiting: Vec<Waiting<T>>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    subtransaction: u32,
    bytes: usize,
    item: T,
}

impl<T> Pending<T> {
    /// Nothing waits.
    pub const fn new() -> Self {
        Self { waiting: Vec::new(), bytes: 0 }
    }

    /// Adds what arrived in a subtransaction, and answers whether it is time to write.
    pub fn add(&mut self, subtransaction: u32, bytes: usize, item: T) -> bool {
        self.waiting.push(Waiting { subtransaction, bytes, item });
        self.bytes = self.bytes.saturating_add(bytes);
        self.waiting.len() >= MOST_ITEMS || self.bytes >= MOST_BYTES
    }

    /// Everything that waits.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter().map(|waiting| &waiting.item)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes what may be written in a subtransaction: what arrived in it. What arrived in one
    /// around it must outlive it, and waits on.
    pub fn take(&mut self, subtransaction: u32) -> Vec<T> {
        let (taken, rest) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.subtransaction >= subtransaction);
        self.keep(rest);
        let taken: Vec<Waiting<T>> = taken;
        taken.into_iter().map(|waiting| waiting.item).collect()
    }

    /// A subtransaction has ended well: what arrived in it now belongs to the one around it.
    pub fn committed(&mut self, subtransaction: u32, parent: u32) {
        for waiting in &mut self.waiting {
            if waiting.subtransaction >= subtransaction {
                waiting.subtransaction = parent;
            }
        }
    }

    /// A subtransaction was rolled back, and with it what arrived in it.
    pub fn aborted(&mut self, subtransaction: u32) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|waiting| waiting.subtransaction < subtransaction);
        self.keep(waiting);
    }

    /// The transaction was rolled back.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    fn keep(&mut self, waiting: Vec<Waiting<T>>) {
        self.bytes = waiting.iter().map(|waiting| waiting.bytes).sum();
        self.waiting = waiting;
    }
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self::new()
    }
}
