//! How large a life is, and how often what goes wrong in it.

use chrono::{Days, NaiveDate};

/// What a life is to be like.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The first business day.
    pub first_day: NaiveDate,
    /// How many business days.
    pub days: u32,
    /// Their nodes are 1, 2, 3 …
    pub stores: usize,
    /// Departments of each store, 1 to 6.
    pub departments: usize,
    /// Terminals of each department.
    pub terminals: usize,
    /// Products of each department, without those that no catalog knows.
    pub products: usize,
    /// Tickets that a terminal prints on a usual day.
    pub tickets: u32,
    /// The business day from which two taxes have another rate.
    pub rates_change_on: NaiveDate,
    /// What goes wrong.
    pub chances: Chances,
}

/// How often something happens, in a thousand tickets where nothing else is said.
#[derive(Clone, Debug)]
pub struct Chances {
    /// The ticket after it undoes it.
    pub undone: u64,
    /// Goods are brought back.
    pub brought_back: u64,
    /// A line is taken off again on the same ticket.
    pub corrected: u64,
    /// The total is not that of the lines, so that it is held.
    pub held: u64,
    /// A person voids it later.
    pub voided: u64,
    /// Its file comes on another day.
    pub late: u64,
    /// Its file comes twice.
    pub repeated: u64,
    /// Its number is used up, and no file ever comes.
    pub lost: u64,
    /// Its lines are those of a real basket, of goods that no catalog knows.
    pub sample: u64,
    /// The terminal rounds a weighed line otherwise than we do.
    pub rounded: u64,
    /// A line has another price than the catalog's.
    pub other_price: u64,
    /// In a thousand days of a terminal: it has no line for the rest of the day.
    pub offline: u64,
}

impl Plan {
    /// A few days of some stores, in which all of it happens often: for tests.
    pub fn small(first_day: NaiveDate) -> Self {
        Self {
            first_day,
            days: 6,
            stores: 2,
            departments: 6,
            terminals: 2,
            products: 40,
            tickets: 12,
            rates_change_on: first_day.checked_add_days(Days::new(3)).unwrap_or(first_day),
            chances: Chances {
                undone: 50,
                brought_back: 40,
                corrected: 50,
                held: 40,
                voided: 25,
                late: 40,
                repeated: 50,
                lost: 10,
                sample: 80,
                rounded: 200,
                other_price: 20,
                offline: 80,
            },
        }
    }

    /// A chain as it is in real life, where few things go wrong: for benches and the demo.
    pub fn usual(first_day: NaiveDate, days: u32, stores: usize, tickets: u32) -> Self {
        Self {
            first_day,
            days,
            stores,
            departments: 6,
            terminals: 2,
            products: 250,
            tickets,
            rates_change_on: first_day.checked_add_days(Days::new(u64::from(days) / 2)).unwrap_or(first_day),
            chances: Chances {
                undone: 8,
                brought_back: 6,
                corrected: 12,
                held: 2,
                voided: 1,
                late: 2,
                repeated: 10,
                lost: 1,
                sample: 10,
                rounded: 20,
                other_price: 4,
                offline: 4,
            },
        }
    }

    /// The day after the last one.
    pub fn end(&self) -> NaiveDate {
        self.day(self.days)
    }

    /// A business day; 0 is the first.
    pub fn day(&self, index: u32) -> NaiveDate {
        self.first_day.checked_add_days(Days::new(index.into())).unwrap_or(self.first_day)
    }
}
