//! How much of an entity one node may have written. What others wrote of it does not count, so that
//! nobody fills a row up for others.
//!
//! Central decides about an operation of a store, and passes on what it took: stores do not decide
//! again, since each of them has what arrived so far in another order. A session is refused at half
//! of what central takes: what others did at the same time may leave more of its values standing.

use super::Entity;
use crate::row_limits::{TooLarge, at_most};

/// The heads of one node in an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Of names and values.
    pub octets: usize,
    /// That have one of them: columns, groups, elements of sets.
    pub registers: usize,
    /// In one register. A node has seen its own values: it has one, unless it was restored.
    pub in_register: usize,
}

impl Share {
    /// What a session may make.
    pub const MADE: Self = Self { octets: 512 * 1024, registers: 2500, in_register: 32 };

    /// What central takes of a store.
    pub const TAKEN: Self = Self { octets: 1024 * 1024, registers: 5000, in_register: 64 };

    /// What a node has of an entity.
    pub fn of(entity: &Entity, node_id: i32) -> Self {
        let mut share = Self::default();
        for (register, heads) in &entity.0 {
            let own = heads.iter().filter(|head| head.version.node_id == node_id);
            let (count, octets) = own.fold((0, 0), |(count, octets), head| {
                (count + 1, octets + register.len() + head.value.to_canonical().len())
            });
            share.octets += octets;
            share.registers += usize::from(count > 0);
            share.in_register = share.in_register.max(count);
        }
        share
    }

    /// Checks what a node has of an entity, whose heads take so many octets as they are stored.
    ///
    /// # Errors
    /// It is more than this.
    pub fn check(&self, entity: &Entity, stored_octets: usize, node_id: i32) -> Result<(), TooLarge> {
        let is_small = stored_octets <= self.octets
            && entity.0.len() <= self.registers
            && entity.0.values().all(|heads| heads.len() <= self.in_register);
        if is_small {
            return Ok(());
        }
        let share = Self::of(entity, node_id);
        at_most("heads", "octets", share.octets, self.octets)?;
        at_most("heads", "registers", share.registers, self.registers)?;
        at_most("heads", "values in a register", share.in_register, self.in_register)
    }
}
