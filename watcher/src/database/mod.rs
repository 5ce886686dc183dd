//! The database, as far as the watcher knows it: a few functions.
//!
//! | file | does |
//! | --- | --- |
//! | `calls` | calls them and reads their answers |
//! | `connection` | lends a connection, and sorts the server's errors into faults |

pub mod calls;
pub mod connection;
