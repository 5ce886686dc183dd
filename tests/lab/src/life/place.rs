//! Stores, their departments and their terminals.

use super::catalog::Catalog;
use super::plan::Plan;
use super::words::{DEPARTMENTS, DepartmentWords, PLACES};
use super::zone::Zone;
use crate::dice::Dice;

/// A department; every store has the same.
#[derive(Clone, Debug)]
pub struct Department {
    /// As tickets have it.
    pub code: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Who leases it.
    pub concessionaire: Option<&'static str>,
    /// Place in the catalog's list of taxes.
    pub tax: Option<usize>,
}

/// On which lines a terminal says the tax rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prints {
    /// The real samples name none.
    NoRates,
    /// On all.
    Rates,
    /// On lines with a barcode of the maker's.
    SomeRates,
    /// On all, and three days long those from before a change.
    OldRates,
}

/// How a terminal writes the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// `…Z`
    Utc,
    /// With the offset of the wall clock.
    Offset,
    /// The wall clock alone.
    Local,
}

/// A terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// `T01`
    pub code: String,
    /// Place in the list of departments.
    pub department: usize,
    /// Where it says rates.
    pub prints: Prints,
    /// How it writes the time.
    pub stamps: Stamps,
    /// Counter scales number their tickets with four digits.
    pub has_four_digits: bool,
    /// The number of its first ticket.
    pub first_number: u32,
}

/// A store.
#[derive(Clone, Debug)]
pub struct Store {
    /// Its node.
    pub node_id: i32,
    /// `S01`
    pub code: String,
    /// The place where it is.
    pub name: String,
    /// Its wall clock.
    pub zone: Zone,
    /// Whether it sells until two in the morning on Fridays and Saturdays.
    pub is_open_late: bool,
    /// How much it sells, in percent of a usual store.
    pub size: u64,
    /// Its terminals.
    pub terminals: Vec<Terminal>,
}

/// The departments of every store.
pub fn departments(plan: &Plan, catalog: &Catalog) -> Vec<Department> {
    let department = |(code, name, concessionaire, tax): DepartmentWords| Department {
        code,
        name,
        concessionaire,
        tax: tax.and_then(|tax| catalog.tax(tax)),
    };
    DEPARTMENTS.into_iter().take(plan.departments).map(department).collect()
}

/// The stores.
pub fn stores(seed: u64, plan: &Plan) -> Vec<Store> {
    (0..plan.stores).map(|index| store(index, Dice::for_actor(seed, 1000 + index as u64), plan)).collect()
}

fn store(index: usize, mut dice: Dice, plan: &Plan) -> Store {
    let (place, is_canary) = PLACES[index % PLACES.len()];
    let nth = index / PLACES.len();
    let zone = if is_canary { Zone::Canary } else { Zone::Madrid };
    let terminals = (0..plan.departments * plan.terminals).map(|place| terminal(place, plan, &mut dice)).collect();
    Store {
        node_id: i32::try_from(index + 1).unwrap_or(i32::MAX),
        code: format!("S{:02}", index + 1),
        name: if nth == 0 { place.to_owned() } else { format!("{place} {}", nth + 1) },
        zone,
        is_open_late: zone == Zone::Madrid && index.is_multiple_of(5),
        size: dice.between(60, 140),
        terminals,
    }
}

/// Terminals are dealt out in turn: `T01` to the first department.
fn terminal(place: usize, plan: &Plan, dice: &mut Dice) -> Terminal {
    Terminal {
        code: format!("T{:02}", place + 1),
        department: place % plan.departments,
        prints: *dice.pick(&[Prints::NoRates, Prints::NoRates, Prints::Rates, Prints::SomeRates, Prints::OldRates]),
        stamps: *dice.pick(&[Stamps::Utc, Stamps::Utc, Stamps::Offset, Stamps::Local]),
        has_four_digits: dice.percent(40),
        first_number: dice.between(1, 9000) as u32,
    }
}
