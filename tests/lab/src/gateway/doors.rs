//! The gateways of a joined chain: each has its keys and an address of its own, the stores know
//! central's, and people of each role log in.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::process::{Gateway, GatewayOptions};
use super::staff::{Staff, write_private};
use crate::cluster::Cluster;
use crate::machine::Lab;
use crate::node::{CENTRAL, Node};
use crate::wait::until_true;

/// Passwords reach the stores within a second or two; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node whose gateway is opened.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Which one.
    pub node: Node,
    /// Its server.
    pub cluster: &'a Cluster,
    /// The port of 127.0.0.1 that people find it at.
    pub port: u16,
}

/// Running gateways of a chain; stopped when the value goes away.
#[derive(Debug)]
pub struct Doors {
    /// In the order of the nodes.
    pub gateways: Vec<(Node, Gateway)>,
    /// Who logs in there.
    pub staff: Staff,
}

impl Doors {
    /// Opens the gateways of a chain, central's first, with further arguments for each.
    pub fn open<'a>(
        lab: &Lab,
        nodes: impl IntoIterator<Item = (Node, &'a Cluster)>,
        arguments: &[&str],
    ) -> Result<Self> {
        let mut members = Vec::new();
        for (node, cluster) in nodes {
            members.push(Member { node, cluster, port: free_port()? });
        }
        let kept = members.first().context("no nodes")?.cluster.folder.join("people.json");
        let mut gateways = Vec::new();
        let staff = open(lab, &members, &kept, |node, mut options| {
            options.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
            gateways.push((node, Gateway::start_with(lab, &options)?));
            Ok(())
        })?;
        Ok(Self { gateways, staff })
    }

    /// The gateway of a node.
    pub fn of(&self, node: Node) -> Result<&Gateway> {
        let found = self.gateways.iter().find(|(at, _)| *at == node);
        found.map(|(_, gateway)| gateway).with_context(|| format!("{} has no gateway", node.code))
    }

    /// Writes who logs in where to `.tpv/users.json`, unless a chain of `./tpv up` has its people
    /// there.
    pub fn write_users(&self, lab: &Lab) -> Result<()> {
        if lab.checkout.join(".tpv/env").exists() {
            return Ok(());
        }
        let of_node = |(node, gateway): &(Node, Gateway)| {
            let people = self.staff.at(*node).map(|employee| (employee.key.to_owned(), employee.shown()));
            let mut shown: Map<String, Value> = people.collect();
            shown.insert("api".to_owned(), json!(format!("http://{}", gateway.address)));
            (node.code.to_owned(), Value::Object(shown))
        };
        let users = self.gateways.iter().map(of_node).collect();
        write_private(&lab.checkout.join(".tpv/users.json"), &Value::Object(users))
    }
}

impl Member<'_> {
    /// Where people find it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Opens the gateways of a joined chain, of which central is the first. `start` starts one. It is
/// over when everybody can log in where she works.
pub fn open(
    lab: &Lab,
    members: &[Member<'_>],
    kept: &Path,
    mut start: impl FnMut(Node, GatewayOptions) -> Result<()>,
) -> Result<Staff> {
    let (central, stores) = members.split_first().context("no nodes")?;
    let central_url = central.url();
    let mut dba = central.cluster.connect()?;
    let mut all = Vec::new();
    for member in members {
        let arguments = if member.node == CENTRAL { vec![] } else { vec!["--central-issuer", &central_url] };
        let listen = format!("127.0.0.1:{}", member.port);
        let options = GatewayOptions::beside(member.cluster, &listen, &member.url(), &arguments);
        let key = options.make_keys(lab)?;
        if member.node != CENTRAL {
            let mut work = dba.transaction()?;
            work.batch_execute("set local role tpv_owner")?;
            let url = "update org.store set gateway_url = $2 \
                       where node_id = $1 and not deleted and gateway_url is distinct from $2";
            work.execute(url, &[&member.node.id, &member.url()])?;
            work.execute("select sec.register_gateway_key($1, $2)", &[&member.node.code, &key])?;
            work.commit()?;
        }
        all.push((member.node, options));
    }
    let mut all = all.into_iter();
    if let Some((node, options)) = all.next() {
        start(node, options)?;
    }
    let staff = Staff::kept_in(kept, &stores.iter().map(|store| store.node).collect::<Vec<_>>())?;
    staff.hire(lab, central.cluster, ([127, 0, 0, 1], central.port).into())?;
    // A gateway looks for central's keys as it starts, so they are to be there.
    for store in stores {
        wait_for_people(store, &staff, &central_url)?;
    }
    all.try_for_each(|(node, options)| start(node, options))?;
    Ok(staff)
}

/// Until a store has what its people log in with, and the key of central's gateway.
fn wait_for_people(store: &Member<'_>, staff: &Staff, central_url: &str) -> Result<()> {
    let mut dba = store.cluster.connect()?;
    let logins: Vec<&str> = staff.at(store.node).map(|employee| employee.login.as_str()).collect();
    let there = "select (select count(*) from sec.verifier v join party.employee e using (employee_id) \
                          where v.node_id = $1 and not v.deleted and e.code = any($2)) = cardinality($2::text[]) \
                    and exists (select from sec.issuer_key k where not k.deleted and k.retired_at is null and k.url = $3)";
    until_true("the people of a store can log in there", PATIENCE, || {
        dba.query_one(there, &[&store.node.id, &logins, &central_url]).is_ok_and(|row| row.get(0))
    })
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
