//! What happens, as numbers: a shorter list of smaller numbers is a simpler story, so a failure
//! shrinks by itself.

use proptest::prelude::*;
use tpv_core::json::{self, Value};
use tpv_core::merge::{ALIAS, EXISTS, Patch, SetRule};

use crate::node::Key;
use crate::world::World;

pub const KEYS: [Key; 2] = ["a", "b"];

/// The entity whose column `v` holds the rule of the column `v` of all others: a policy is an
/// operation as well.
pub const POLICY: Key = "policy";

pub const RULES: [&str; 10] = [
    "last_write",
    "first_write",
    "central_wins",
    "owner_wins",
    "greatest",
    "least",
    r#"{"rule":"least","order":["none","email","all",true]}"#,
    r#"{"rule":"greatest","order":[7,3,2,null]}"#,
    "review",
    r#"{"rule":"custom","function":"joined"}"#,
];

const VALUES: [&str; 12] = [
    "2",
    "3",
    "7",
    "3.0",
    "null",
    "\"all\"",
    "\"none\"",
    "\"email\"",
    "true",
    r#"["x"]"#,
    r#"["y","x"]"#,
    r#"{"city":"León","street":"Mayor"}"#,
];

#[derive(Clone, Debug)]
pub struct Script {
    pub nodes: usize,
    pub rule: usize,
    pub steps: Vec<u32>,
    pub seed: u64,
}

pub fn scripts(steps: std::ops::Range<usize>) -> impl Strategy<Value = Script> {
    (3usize..=5, 0..RULES.len(), proptest::collection::vec(any::<u32>(), steps), any::<u64>())
        .prop_map(|(nodes, rule, steps, seed)| Script { nodes, rule, steps, seed })
}

pub fn value(choice: usize) -> Value {
    json::read(VALUES[choice % VALUES.len()], 8).unwrap()
}

pub fn rule(choice: usize) -> Patch {
    let text = RULES[choice % RULES.len()];
    Patch::from([(EXISTS.into(), Value::Bool(true)), ("v".into(), Value::String(text.into()))])
}

/// Whether an element of the set `tags` is there.
fn element(choice: usize, is_there: bool) -> Patch {
    Patch::from([(SetRule::Union.register("tags", ["x", "y", "z"][choice]), Value::Bool(is_there))])
}

impl Script {
    /// Plays it: a policy, an entity, then whatever the steps say. What was not delivered is still
    /// on its way.
    pub fn play(&self) -> World {
        let mut world = World::new(self.nodes);
        world.write(0, POLICY, rule(self.rule));
        for step in &self.steps {
            // Each digit of the number is one choice.
            let mut rest = *step as usize;
            let mut choice = |of: usize| {
                let chosen = rest % of;
                rest /= of;
                chosen
            };
            let (what, node, key) = (choice(21), choice(self.nodes), KEYS[choice(8) / 7]);
            match what {
                0..=4 => world.write(node, key, Patch::from([("v".into(), value(choice(VALUES.len())))])),
                5 => {
                    let both = [("v".into(), value(choice(VALUES.len()))), ("w".into(), value(choice(VALUES.len())))];
                    world.write(node, key, Patch::from(both));
                }
                6 => world.write(node, key, Patch::from([(EXISTS.into(), Value::Bool(choice(2) == 0))])),
                // Made at several nodes at once, each believes that it owns it.
                7 => {
                    let home = Value::Number(choice(self.nodes).to_string());
                    world.write(node, key, Patch::from([(EXISTS.into(), Value::Bool(true)), ("home".into(), home)]));
                }
                8 => {
                    let became = ["null", "\"a\"", "\"b\"", "\"c\""][choice(4)];
                    world.write(node, key, Patch::from([(ALIAS.into(), json::read(became, 1).unwrap())]));
                }
                9 if choice(2) == 0 => world.write(node, POLICY, rule(choice(RULES.len()))),
                9 => world.resolve_conflict(node, key, "v", choice(5)),
                10 => world.nodes[node].set_wall_clock(choice(60) as u32),
                11 => world.sync(node, choice(self.nodes), choice(2) == 1),
                12..=13 => world.write(node, key, element(choice(3), choice(2) == 0)),
                14 => {
                    let mut both = element(choice(3), choice(2) == 0);
                    both.extend(element(choice(3), choice(2) == 0));
                    world.write(node, key, both);
                }
                15 => {
                    let grown = SetRule::GrowOnly.register("seen", ["x", "y", "z"][choice(3)]);
                    world.write(node, key, Patch::from([(grown, Value::Bool(true))]));
                }
                16 if choice(4) == 0 => world.erase(node, key),
                16 => world.resolve_conflict(node, key, "tags/x", choice(5)),
                17 => world.prune(choice(1 << 12)),
                _ => world.deliver(node, choice(64)),
            }
        }
        world
    }
}
