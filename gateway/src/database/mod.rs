//! The database, as far as the gateway knows it: views and functions of `own` for people, and
//! functions of `sec` for logins.
//!
//! | file | does |
//! | --- | --- |
//! | `pool` | opens and lends connections; one whose transaction did not end is thrown away |
//! | `asked` | one request of a person, as one round trip |
//! | `auth` | the functions for logins and sessions |
//! | `sqlstate` | says what an SQL error is over HTTP |
//! | `row` | rows of views as values |
//! | `decimal` | exact numbers as text |

pub mod asked;
pub mod auth;
pub mod decimal;
pub mod pool;
pub mod row;
pub mod sqlstate;
