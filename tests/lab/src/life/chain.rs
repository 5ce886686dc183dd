//! A life: how many tickets each terminal prints on each day, and when a day is closed.

use chrono::{Datelike, NaiveDate, Weekday};

use super::catalog::Catalog;
use super::place::{self, Department, Store};
use super::plan::Plan;
use super::ticket::Ticket;
use crate::dice::Dice;

/// The life of a chain. What a day holds is worked out when somebody asks for it.
#[derive(Clone, Debug)]
pub struct Life {
    /// What it is made of.
    pub seed: u64,
    /// What it is like.
    pub plan: Plan,
    /// What is sold.
    pub catalog: Catalog,
    /// Those of each store.
    pub departments: Vec<Department>,
    /// All stores.
    pub stores: Vec<Store>,
    /// For each store and terminal how many numbers are used up before each day.
    numbers: Vec<Vec<Vec<u32>>>,
}

impl Life {
    /// The life of this seed.
    pub fn new(seed: u64, plan: &Plan) -> Self {
        let catalog = Catalog::new(seed, plan);
        let departments = place::departments(plan, &catalog);
        let stores = place::stores(seed, plan);
        let mut life = Self { seed, plan: plan.clone(), catalog, departments, stores, numbers: Vec::new() };
        life.numbers = (0..life.stores.len())
            .map(|store| (0..life.stores[store].terminals.len()).map(|terminal| life.count(store, terminal)).collect())
            .collect();
        life
    }

    /// Dice of one terminal's day for one purpose.
    pub(super) fn dice(&self, purpose: u64, store: usize, terminal: usize, day: u32) -> Dice {
        let who = (store as u64 * 1000 + terminal as u64) * 100_000 + u64::from(day);
        Dice::for_actor(self.seed, who * 16 + purpose)
    }

    fn count(&self, store: usize, terminal: usize) -> Vec<u32> {
        let mut sum = 0;
        let mut before = vec![0];
        for day in 0..self.plan.days {
            sum += self.tickets_on(store, terminal, day);
            before.push(sum);
        }
        before
    }

    fn tickets_on(&self, store: usize, terminal: usize, day: u32) -> u32 {
        let date = self.plan.day(day);
        let week = match date.weekday() {
            Weekday::Sat => 140,
            Weekday::Fri => 120,
            Weekday::Sun if store % 3 == 1 => 0,
            Weekday::Sun => 60,
            _ => 95,
        };
        let season = if date.month() == 12 { 125 } else { 98 };
        let chance = self.dice(0, store, terminal, day).between(80, 120);
        let usual = u64::from(self.plan.tickets) * self.stores[store].size * week * season * chance;
        u32::try_from((usual + 50_000_000) / 100_u64.pow(4)).unwrap_or(u32::MAX)
    }

    /// The numbers that a terminal uses up on a day: how many before it, and how many on it.
    pub(super) fn numbers(&self, store: usize, terminal: usize, day: u32) -> (u32, u32) {
        let before = &self.numbers[store][terminal];
        let first = before[day as usize];
        (first, before[day as usize + 1] - first)
    }

    /// When a person closes a business day of a store: mostly that night, now and then two days
    /// later, or never.
    pub fn closes_at(&self, store: usize, day: u32) -> Option<i64> {
        let mut dice = self.dice(1, store, 999, day);
        let zone = self.stores[store].zone;
        let that_night = self.plan.day(day).and_hms_opt(2, 30, 0)? + chrono::Duration::days(1);
        match dice.below(100) {
            0..2 => None,
            2..7 => Some(zone.instant(that_night) + 2 * 86_400),
            _ => Some(zone.instant(that_night)),
        }
    }

    /// Whether a ticket comes after its day was closed.
    pub fn is_late(&self, ticket: &Ticket) -> bool {
        let day = self.day_of(ticket.business_date);
        day.and_then(|day| self.closes_at(ticket.store, day)).is_some_and(|at| at < ticket.arrives_at)
    }

    /// The number of a business day.
    pub fn day_of(&self, date: NaiveDate) -> Option<u32> {
        u32::try_from((date - self.plan.first_day).num_days()).ok()
    }

    /// How many numbers of tickets are used up in all.
    pub fn tickets_in_all(&self) -> u64 {
        self.numbers.iter().flatten().filter_map(|before| before.last()).map(|count| u64::from(*count)).sum()
    }

    /// The tickets of a store on a business day, terminal by terminal.
    pub fn day(&self, store: usize, day: u32) -> Vec<Ticket> {
        (0..self.stores[store].terminals.len()).flat_map(|terminal| self.tickets(store, terminal, day)).collect()
    }
}
