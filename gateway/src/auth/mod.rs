//! People log in, stay logged in, and log out.
//!
//! | file | does |
//! | --- | --- |
//! | `login` | a code and a password become a session |
//! | `proof` | compares a password, throttled, in the same time for everybody |
//! | `issue` | writes the tokens of a session, into the body or into cookies |
//! | `refresh` | one refresh token becomes the next |
//! | `session` | lists sessions, and ends them |
//! | `password` | changes a password, and makes and uses links for one |
//! | `me` | says who somebody is |
//! | `jwks` | shows the public keys |

pub mod issue;
pub mod jwks;
pub mod login;
pub mod me;
pub mod password;
pub mod proof;
pub mod refresh;
pub mod session;
