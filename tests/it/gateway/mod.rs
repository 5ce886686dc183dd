//! The gateway as its clients meet it, over TCP: a store's server, the real gateway, people.

mod api_doc;
mod catalog;
mod certificate;
mod chain;
mod decisions;
mod files;
mod people;
mod resources;
mod server;
mod sessions;

use postgres::Client as Sql;
use serde_json::Value;
use tpv_lab::gateway::{Client, Gateway, Person, hire};
use tpv_lab::store::Rig;

/// A store that is alone, with its gateway.
pub struct Store {
    // First, since fields are dropped in order.
    pub gateway: Gateway,
    pub rig: Rig,
}

impl Store {
    pub fn open() -> Self {
        Self::open_with(&[])
    }

    pub fn open_with(arguments: &[&str]) -> Self {
        let rig = Rig::idle().unwrap();
        let gateway = Gateway::start(&rig.lab, &rig.cluster, "http://s01.test", arguments).unwrap();
        Self { gateway, rig }
    }

    /// Somebody with a role in this store.
    pub fn hire(&self, code: &str, role: &str) -> Person {
        hire(&self.rig.lab, &self.rig.cluster, code, role, Some(1), None).unwrap()
    }

    pub fn dba(&self) -> Sql {
        self.rig.cluster.connect().unwrap()
    }
}

/// All items of a list, page by page to its end.
#[track_caller]
pub fn walk(client: &Client, list: &str) -> Vec<Value> {
    let (mut items, mut path) = (Vec::new(), list.to_owned());
    loop {
        let page = client.get(&path).unwrap();
        assert_eq!(page.status, 200, "{path}: {page:?}");
        items.extend(page.json()["items"].as_array().cloned().unwrap());
        let Some(link) = page.header("link") else { return items };
        path = link.split(['<', '>']).nth(1).unwrap().to_owned();
    }
}
