//! Who acts, as documents and records say it. They stay for ever, and a person must be erasable: so
//! it is an id, and never a name of a person.

use std::fmt;

use uuid::Uuid;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The person whom the gateway vouches for, a row of `party.employee`.
    Employee(Uuid),
    /// A login of the database: what somebody called a program or a function.
    Login(String),
    /// A terminal of the store, by its code: a ticket of its undid another.
    Terminal(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Employee(id) => write!(f, "employee:{id}"),
            Self::Login(name) => write!(f, "login:{name}"),
            Self::Terminal(code) => write!(f, "terminal:{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_cannot_look_like_a_person() {
        let id = "0197a2b0-0000-7000-8000-0000000000aa";
        let person = Actor::Employee(id.parse().unwrap()).to_string();
        assert_eq!(person, format!("employee:{id}"));
        // A role can have any name.
        assert_eq!(Actor::Login(person.clone()).to_string(), format!("login:{person}"));
        assert_eq!(Actor::Terminal("T04".to_owned()).to_string(), "terminal:T04");
    }
}
