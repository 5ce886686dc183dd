//! The steps of a plan, as central writes them: what is run where, and what of it may be shown.

use serde::Serialize;

use super::secret::Secret;

/// The last step of a join: central requests what the store recorded before.
pub const REQUEST: i32 = 33;

/// The steps of a join that make the logins, and those that tell the subscriptions how to connect.
const RENEWS: [i32; 4] = [13, 23, 24, 30];

/// What is done with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Join,
    Rejoin,
    Renew,
    Leave,
}

impl Deed {
    /// As the program's word says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Rejoin => "rejoin",
            Self::Renew => "renew",
            Self::Leave => "leave",
        }
    }

    /// The function of central that writes the plan. A join that was broken off is written by the
    /// function that asks nothing: each of its steps can be repeated. So some of them renew.
    pub fn function(self) -> &'static str {
        match self {
            Self::Join | Self::Renew => "sync.join_steps",
            Self::Rejoin => "sync.rejoin_plan",
            Self::Leave => "sync.leave_plan",
        }
    }

    /// Whether a row of the plan is run.
    pub fn has(self, step: i32) -> bool {
        self != Self::Renew || RENEWS.contains(&step)
    }
}

/// Where a step is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Central,
    Store,
}

/// A row of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub step: i32,
    pub run_on: String,
    pub sql: String,
    pub why: String,
}

/// One statement of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub step: i32,
    pub node: String,
    #[serde(skip)]
    pub side: Side,
    /// Without a password.
    #[serde(rename = "sql")]
    pub shown: String,
    #[serde(skip)]
    pub sql: String,
    pub why: String,
}

/// The logins that a plan makes, and their passwords.
pub struct Logins<'s> {
    /// What the store logs in as, at central.
    pub store: (String, &'s Secret),
    /// What central logs in as, at the store.
    pub central: (String, &'s Secret),
}

/// The steps of a plan: its rows as they are run and as they are shown, and after each that makes a login
/// one that gives this its password.
pub fn steps(run: Vec<Row>, shown: Vec<Row>, store_code: &str, logins: Option<&Logins<'_>>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (row, shown) in run.into_iter().zip(shown) {
        let side = if row.run_on == store_code { Side::Store } else { Side::Central };
        let number = row.step;
        let step = Step { step: number, node: row.run_on, side, shown: shown.sql, sql: row.sql, why: row.why };
        let made = logins.map(|logins| if side == Side::Central { &logins.store } else { &logins.central });
        let password = made
            .filter(|(login, _)| step.sql.contains(&format!("create role {login};")))
            .map(|(login, secret)| password(&step, login, secret));
        steps.push(step);
        steps.extend(password);
    }
    steps
}

/// The name of a login needs no quotes: it is made of a node's code, whose hyphens are replaced.
fn password(made_by: &Step, login: &str, secret: &Secret) -> Step {
    Step {
        shown: format!("alter role {login} password '***'"),
        sql: format!("alter role {login} password '{}'", secret.verifier()),
        why: "a new password, which only the two servers know".to_owned(),
        ..made_by.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: i32, run_on: &str, sql: &str) -> Row {
        Row { step, run_on: run_on.to_owned(), sql: sql.to_owned(), why: "why".to_owned() }
    }

    #[test]
    fn a_login_gets_its_password_on_the_node_that_makes_it() {
        let secrets = (Secret::draw(), Secret::draw());
        let logins = Logins {
            store: ("tpv_peer_s07".to_owned(), &secrets.0),
            central: ("tpv_peer_central".to_owned(), &secrets.1),
        };
        let plan = || {
            vec![
                row(13, "CENTRAL", "if … then create role tpv_peer_s07; end if"),
                row(23, "S07", "if … then create role tpv_peer_central; end if"),
                row(31, "CENTRAL", "alter subscription x enable"),
            ]
        };
        let steps = steps(plan(), plan(), "S07", Some(&logins));
        let told: Vec<_> = steps.iter().map(|it| (it.step, it.side, it.shown.as_str())).collect();
        assert_eq!(told[1], (13, Side::Central, "alter role tpv_peer_s07 password '***'"));
        assert_eq!(told[3], (23, Side::Store, "alter role tpv_peer_central password '***'"));
        assert_eq!(told.len(), 5);
        assert!(steps[1].sql.contains("SCRAM-SHA-256$"));
        assert!(!serde_json::to_string(&steps).unwrap().contains("SCRAM"));
    }

    #[test]
    fn logins_that_keep_their_passwords_get_none() {
        let plan = || vec![row(13, "CENTRAL", "create role tpv_peer_s07;")];
        assert_eq!(steps(plan(), plan(), "S07", None).len(), 1);
    }
}
