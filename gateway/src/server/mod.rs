//! The wire: connections are accepted within limits, encrypted if there is a certificate, served by
//! hyper with warp's filter inside, and drained at the end.
//!
//! | file | does |
//! | --- | --- |
//! | `listen` | binds, and accepts |
//! | `crowd` | counts connections, in all and for each address |
//! | `connection` | serves one, from handshake to end |
//! | `patience` | ends one that says nothing, or too little |
//! | `filter` | is the one warp filter; what it extracts goes to the dispatcher |
//! | `tls` | reads the certificate |
//! | `expiry` | tells when it ends |

pub mod connection;
pub mod crowd;
pub mod expiry;
pub mod filter;
pub mod listen;
pub mod patience;
pub mod tls;
