//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

pub struct Crowd {
    most: usize,
    most_per_address: usize,
    inside: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

/// A place inside; it becomes free with the value.
pub struct Place {
    crowd: Arc<Crowd>,
    /// None for a Unix socket, where all come from the same machine.
    address: Option<IpAddr>,
}

impl Crowd {
    pub fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_address, inside: Mutex::default() })
    }

    pub fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let mut inside = self.inside.lock();
        let (all, by_address) = &mut *inside;
        let of_address = address.map_or(0, |address| by_address.get(&address).copied().unwrap_or(0));
        if *all >= self.most || of_address >= self.most_per_address {
            return None;
        }
        *all += 1;
        if let Some(address) = address {
            by_address.insert(address, of_address + 1);
        }
        Some(Place { crowd: Arc::clone(self), address })
    }

    pub fn count(&self) -> usize {
        self.inside.lock().0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.inside.lock();
        let (all, by_address) = &mut *inside;
        *all = all.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(count) = by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_all_places() {
        let crowd = Crowd::new(3, 2);
        let address = |last| Some(IpAddr::from([127, 0, 0, last]));
        let first = crowd.enter(address(1)).unwrap();
        let _second = crowd.enter(address(1)).unwrap();
        assert!(crowd.enter(address(1)).is_none());
        let _third = crowd.enter(address(2)).unwrap();
        assert!(crowd.enter(address(3)).is_none());
        drop(first);
        assert!(crowd.enter(address(1)).is_some());
        assert_eq!(crowd.count(), 2);
    }
}
