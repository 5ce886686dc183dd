//! What an access token of a person says, and whether it holds (RFC 9068, RFC 8725). No clock and
//! no key here: both are handed in.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Whom the token is for: this API.
pub const AUDIENCE: &str = "tpv-api";
/// A token is read no longer than this.
pub const LIFE_S: i64 = 600;
/// How far clocks may be apart.
pub const LEEWAY_S: i64 = 5;
/// The type in the head of a token (RFC 9068, 2.1).
pub const TYPE: &str = "at+jwt";
const SUBJECT: &str = "usr:";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// `usr:` and the key of the employee.
    pub sub: String,
    pub client_id: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub jti: Uuid,
    /// The session.
    pub sid: Uuid,
    pub role: String,
    /// The counter of the employee's rights when it was written.
    pub authz: i32,
    /// The counter of the refresh token that came with it: its use says that the answer arrived.
    pub rfc: i32,
}

/// Somebody whose token holds. Whether the session does is asked in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    pub employee: Uuid,
    pub session: Uuid,
    pub role: Role,
    pub authz: i32,
    pub counter: i32,
    pub expires_at: i64,
    /// The token is of central, and this is a store.
    pub from_central: bool,
}

/// The roles of people. Each is a role of the database, so that only these names get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Cashier,
    Supervisor,
    Manager,
    Auditor,
    Concessionaire,
    Admin,
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::Cashier, Self::Supervisor, Self::Manager, Self::Auditor, Self::Concessionaire, Self::Admin];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Cashier => "cashier",
            Self::Supervisor => "supervisor",
            Self::Manager => "manager",
            Self::Auditor => "auditor",
            Self::Concessionaire => "concessionaire",
            Self::Admin => "admin",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Claims {
    pub fn subject_of(employee: Uuid) -> String {
        format!("{SUBJECT}{employee}")
    }

    /// The person, if every claim holds. `issuer` is whose key has signed it.
    pub fn person(&self, issuer: &str, now: i64, from_central: bool) -> Option<Person> {
        let life = self.exp.checked_sub(self.iat)?;
        let holds = self.iss == issuer
            && self.aud == AUDIENCE
            && !self.client_id.is_empty()
            && self.exp > now.checked_sub(LEEWAY_S)?
            && self.nbf <= now.checked_add(LEEWAY_S)?
            && self.iat <= now.checked_add(LEEWAY_S)?
            && (1..=LIFE_S).contains(&life);
        if !holds {
            return None;
        }
        Some(Person {
            employee: Uuid::try_parse(self.sub.strip_prefix(SUBJECT)?).ok()?,
            session: self.sid,
            role: Role::from_name(&self.role)?,
            authz: self.authz,
            counter: self.rfc,
            expires_at: self.exp,
            from_central,
        })
    }
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;

    pub fn claims() -> Claims {
        Claims {
            iss: "S01".to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: Claims::subject_of(Uuid::from_u128(1)),
            client_id: "tpv-gateway".to_owned(),
            iat: 1_000,
            nbf: 1_000,
            exp: 1_600,
            jti: Uuid::from_u128(2),
            sid: Uuid::from_u128(3),
            role: "cashier".to_owned(),
            authz: 1,
            rfc: 1,
        }
    }

    #[test]
    fn a_token_holds_from_its_first_second_to_its_last() {
        for (now, holds) in [(994, false), (995, true), (1_000, true), (1_604, true), (1_605, false)] {
            assert_eq!(claims().person("S01", now, false).is_some(), holds, "{now}");
        }
    }

    #[test]
    fn each_claim_is_asked_for() {
        type Change = fn(&mut Claims);
        let changes: [(&str, Change); 11] = [
            ("issuer", |c| c.iss = "S02".to_owned()),
            ("audience", |c| c.aud = "tpv-sys".to_owned()),
            ("subject of a system", |c| c.sub = c.sub.replace("usr:", "sys:")),
            ("subject without a kind", |c| c.sub = c.sub.replace("usr:", "")),
            ("client", |c| c.client_id.clear()),
            ("a longer life", |c| c.exp += 1),
            ("no life", |c| c.exp = c.iat),
            ("made in the future", |c| c.iat = 1_100),
            ("good in the future", |c| c.nbf = 1_100),
            ("role", |c| c.role = "postgres".to_owned()),
            ("times that overflow", |c| (c.iat, c.exp) = (i64::MIN, i64::MAX)),
        ];
        for (what, change) in changes {
            let mut claims = claims();
            change(&mut claims);
            assert_eq!(claims.person("S01", 1_001, false), None, "{what}");
        }
        assert!(claims().person("S01", 1_001, false).is_some());
    }

    proptest! {
        #[test]
        fn no_times_hold_long(iat: i64, exp: i64, nbf: i64, now in 0..i64::MAX / 2) {
            let claims = Claims { iat, exp, nbf, ..claims() };
            if claims.person("S01", now, false).is_some() {
                prop_assert!(exp - now <= LIFE_S + LEEWAY_S && now - exp < LEEWAY_S);
            }
        }
    }
}
