//! The private keys beside this gateway, and what is done with each.
//!
//! | file | does |
//! | --- | --- |
//! | `folder` | keeps them as files |
//! | `signing` | says which key signs access tokens, and which ones verify |
//! | `sealing` | opens the passwords of a store's staff |
//! | `mac` | signs refresh tokens, cursors and CSRF tokens |
//! | `keyring` | holds them while the gateway runs |
//! | `command` | `tpv-gateway key …` |

pub mod command;
pub mod folder;
pub mod keyring;
pub mod mac;
pub mod sealing;
pub mod signing;
